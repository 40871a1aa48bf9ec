// Writes pickles of protocol 2 with what a checkpoint of PyTorch holds: dicts of tensors, numbers and texts, which
// torch.load reads with weights_only=True.
// Format: https://github.com/python/cpython/blob/main/Lib/pickletools.py, torch/serialization.py.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace voldiff {

class PickleWriter {
  public:
    PickleWriter();

    void begin_ordered_dict();
    void begin_dict();
    void end_dict();
    void put_text(const std::string& text);
    void put_int(std::int64_t value);
    // A reference to the storage `key`, which the caller writes: the tensor's elements, contiguous.
    void put_tensor(const at::Tensor& tensor, const std::string& key);

    std::string finish();

  private:
    void op(char code) { bytes_ += code; }
    void put_global(const std::string& module_name, const std::string& name);
    void put_ints(const std::vector<std::int64_t>& values);

    std::string bytes_;
};

}  // namespace voldiff
