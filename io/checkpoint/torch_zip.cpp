#include "io/checkpoint/message.h"
#include "io/checkpoint/torch_file.h"
#include "io/checkpoint/torch_objects.h"
#include "io/checkpoint/torchscript.h"
#include "io/checkpoint/weights_finder.h"
#include "io/checkpoint/zip_archive.h"

#include <algorithm>

namespace voldiff {
namespace {

constexpr std::string_view kPickleName = "data.pkl";

// "archive/", the folder of all records; archives that another tool packed may have none.
std::string find_root(const ZipArchive& archive) {
    std::string root;
    bool found = false;
    for (const auto& name : archive.names()) {
        const auto slash = name.find('/');
        const auto start = slash == std::string::npos ? 0 : slash + 1;
        if (name.substr(start) != kPickleName) {
            continue;
        }
        if (found) {
            refuse_weights("the zip archive holds more than one ", kPickleName, ", expected one checkpoint");
        }
        found = true;
        root = name.substr(0, start);
    }
    if (!found) {
        const auto names = archive.names();
        refuse_weights("is a zip archive without ", kPickleName, ", so not one of PyTorch; it holds ", names.size(),
                       " records", names.empty() ? "" : ", the first is " + in_quotes(names.front()));
    }
    return root;
}

void check_byte_order(ZipArchive& archive, const std::string& root) {
    const auto name = root + "byteorder";
    if (archive.contains(name) && archive.read(name).bytes != "little") {
        refuse_weights("was saved on a machine with byte order ", in_quotes(archive.read(name).bytes),
                       ", expected 'little'; save it again on another machine");
    }
}

std::string record_of(const std::string& root, const StorageReference& reference) {
    return root + "data/" + reference.key;
}

// A storage may be followed by less than an element, where it is shared by tensors of two types.
void check_size(const ZipArchive& archive, const std::string& name, const StorageReference& reference) {
    const auto size = archive.size_of(name);
    if (size < reference.size || size - reference.size >= sizeof(double)) {
        refuse_weights("record ", in_quotes(name), " holds ", size, " bytes, but the tensors of it need ",
                       reference.size, "; the file is damaged");
    }
}

// No module has a slash in its name; with one, many names would mean the same record, each read again.
Blob source_of(ZipArchive& archive, const std::string& root, std::string module_name) {
    if (module_name.find('/') != std::string::npos) {
        return {};
    }
    std::replace(module_name.begin(), module_name.end(), '.', '/');
    const auto name = root + "code/" + module_name + ".py";
    return archive.contains(name) ? archive.read(name) : Blob();
}

}  // namespace

Checkpoint read_torch_zip(const Blob& file) {
    ZipArchive archive(file);
    const auto root = find_root(archive);
    check_byte_order(archive, root);
    const auto description = archive.read(root + std::string(kPickleName));
    const auto pickle = parse_pickle(description.bytes);
    for (const auto& value : pickle.values) {
        if (const auto reference = storage_reference(value)) {
            check_size(archive, record_of(root, *reference), *reference);
        }
    }
    TensorReader tensors([&](const StorageReference& reference) {
        const auto name = record_of(root, reference);
        check_size(archive, name, reference);
        return archive.read(name);
    });
    Checkpoint checkpoint;
    if (is_torchscript(*pickle.root)) {
        checkpoint.format = "torchscript";
        const auto source = [&](const std::string& module_name) { return source_of(archive, root, module_name); };
        flatten_torchscript(*pickle.root, source, tensors, checkpoint.weights);
    } else {
        checkpoint.format = "torch zip";
        find_weights(pickle, tensors, checkpoint);
    }
    return checkpoint;
}

}  // namespace voldiff
