#include "io/config/config_file.h"

#include "core/error.h"
#include "io/config/scalar.h"
#include "io/config/yaml.h"
#include "io/system/system.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_extends = 16;

[[noreturn]] void fail(const Mark& mark, const std::string& message) {
    throw Error(ErrorCode::config, mark.text() + ": " + message);
}

fs::path folder_of(const Mark& mark) { return mark.in_file() ? fs::path(*mark.source).parent_path() : fs::path(); }

void require_map(Node& node) {
    if (node.kind == NodeKind::null) node = make_map(node.mark);
    if (node.kind != NodeKind::map) fail(node.mark, "this file is " + describe(node) + ", expected a map of options");
}

// A file that another one names: where it cannot be read, the message says who asked for it.
Node read_file(const fs::path& file, const Mark& said_at) {
    try {
        return load_yaml(file);
    } catch (const Error& e) {
        if (e.code() == ErrorCode::io && said_at.source) throw e.within(said_at.text());
        throw;
    }
}

// The path without links, to compare; as it is where the system cannot tell.
fs::path real_path(const fs::path& path) {
    std::error_code problem;
    const fs::path real = fs::weakly_canonical(path, problem);
    return problem ? path : real;
}

using Prepare = std::function<void(Node&)>;

// `chain` holds the files that led here.
Node load_chain(const fs::path& file, const Mark& said_at, std::vector<fs::path> chain, const Prepare& prepare) {
    Node node = read_file(file, said_at);
    require_map(node);
    prepare(node);
    const Node* extends = node.find("extends");
    if (extends == nullptr) return node;
    const Mark mark = extends->mark;
    if (extends->kind != NodeKind::scalar) {
        fail(mark, "'extends' is " + describe(*extends) + ", expected the path of one file");
    }
    const fs::path base = find_config(extends->text, mark);
    chain.push_back(real_path(file));
    if (std::find(chain.begin(), chain.end(), real_path(base)) != chain.end()) {
        fail(mark, "'extends' leads in a circle back to '" + base.string() + "'");
    }
    if (chain.size() > max_extends) fail(mark, "'extends' of more than " + std::to_string(max_extends) + " files");
    node.erase("extends");
    return merge(load_chain(base, mark, chain, prepare), node);
}

// The config inside a sidecar.
void unwrap(Node& node) {
    if (node.find("voldiff") == nullptr || node.find("config") == nullptr) return;
    Node config = *node.find("config");
    require_map(config);
    node = std::move(config);
}

}  // namespace

fs::path find_config(const std::string& name, const Mark& said_at) {
    const std::vector<fs::path> places = {folder_of(said_at) / name, data_directory() / name};
    for (const fs::path& place : places) {
        std::error_code ignored;
        if (fs::exists(place, ignored)) return place.lexically_normal();
    }
    const bool absolute = fs::path(name).is_absolute();
    throw Error(ErrorCode::io, said_at.text() + ": there is no file " + show_text(name) +
                                   (absolute ? ""
                                             : "; tried '" + places[0].lexically_normal().string() + "' and '" +
                                                   places[1].lexically_normal().string() + "'"));
}

void expand_network(Node& root) {
    Node* network = root.find("network");
    if (network == nullptr || network->kind != NodeKind::scalar) return;
    const Mark mark = network->mark;
    *network = load_chain(find_config(network->text, mark), mark, {}, [](Node&) {});
    network->whole = true;
}

Node load_config(const fs::path& file) {
    return load_chain(file, {}, {}, [](Node&) {});
}

Node load_run_file(const fs::path& file) {
    bool first = true;
    return load_chain(file, {}, {}, [&first](Node& node) {
        if (first) unwrap(node);
        first = false;
        expand_network(node);
    });
}

}  // namespace voldiff
