#include "io/checkpoint/pickle_writer.h"

#include "io/checkpoint/dtype.h"
#include "io/checkpoint/message.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cstring>

namespace voldiff {

namespace {

// Opcodes, by their names in pickletools.
enum Op : char {
    mark = '(',
    empty_tuple = ')',
    stop = '.',
    binpersid = 'Q',
    reduce = 'R',
    binunicode = 'X',
    empty_dict = '}',
    global = 'c',
    binint = 'J',
    tuple = 't',
    setitems = 'u',
    proto = '\x80',
    newfalse = '\x89',
    long1 = '\x8a',
};

template <class Number>
std::string little_endian(Number value) {
    std::string bytes(sizeof(value), '\0');
    std::memcpy(bytes.data(), &value, sizeof(value));
    return bytes;
}

}  // namespace

PickleWriter::PickleWriter() {
    op(proto);
    op(2);
}

void PickleWriter::begin_ordered_dict() {
    put_global("collections", "OrderedDict");
    op(empty_tuple);
    op(reduce);
    op(mark);
}

void PickleWriter::begin_dict() {
    op(empty_dict);
    op(mark);
}

void PickleWriter::end_dict() { op(setitems); }

void PickleWriter::put_text(const std::string& text) {
    op(binunicode);
    bytes_ += little_endian(static_cast<std::uint32_t>(text.size())) + text;
}

void PickleWriter::put_global(const std::string& module_name, const std::string& name) {
    op(global);
    bytes_ += module_name + "\n" + name + "\n";
}

void PickleWriter::put_int(std::int64_t value) {
    const auto small = static_cast<std::int32_t>(value);
    if (small == value) {
        op(binint);
        bytes_ += little_endian(small);
    } else {
        op(long1);
        op(sizeof(value));
        bytes_ += little_endian(value);
    }
}

void PickleWriter::put_ints(const std::vector<std::int64_t>& values) {
    op(mark);
    for (const std::int64_t value : values) put_int(value);
    op(tuple);
}

// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)
void PickleWriter::put_tensor(const at::Tensor& tensor, const std::string& key) {
    const std::string storage(torch_storage_name(tensor.scalar_type()));
    if (storage.empty()) refuse_weights("tensor is of a type that a checkpoint of PyTorch does not hold");
    put_global("torch._utils", "_rebuild_tensor_v2");
    op(mark);
    op(mark);
    put_text("storage");
    put_global("torch", storage);
    put_text(key);
    put_text("cpu");
    put_int(tensor.numel());
    op(tuple);
    op(binpersid);
    put_int(0);
    put_ints(tensor.sizes().vec());
    put_ints(at::detail::defaultStrides(tensor.sizes()));
    op(newfalse);
    begin_ordered_dict();
    end_dict();
    op(tuple);
    op(reduce);
}

std::string PickleWriter::finish() {
    op(stop);
    return std::move(bytes_);
}

}  // namespace voldiff
