// Files of torch.save: a zip archive, made by LibTorch, with a pickle, made by us.
#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/message.h"
#include "io/checkpoint/pickle_writer.h"
#include "io/config/scalar.h"
#include "io/file.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/scalar_tensor.h>
#include <c10/util/Exception.h>
#include <caffe2/serialize/inline_container.h>

#include <cmath>
#include <fstream>

namespace voldiff {

namespace {

const std::string framework_key = "format";  // of safetensors' metadata: "pt"

class TorchFile {
  public:
    explicit TorchFile(const Checkpoint& checkpoint) {
        const std::size_t framework = checkpoint.metadata.count(framework_key);
        const bool plain = checkpoint.weights_at.empty() && checkpoint.extra_tensors.is_empty() &&
                           checkpoint.extra_numbers.empty() && checkpoint.metadata.size() == framework;
        if (plain) {
            put_weights(checkpoint.weights);
        } else {
            put_nested(checkpoint);
        }
        description_ = pickle_.finish();
    }

    void write(const std::filesystem::path& path) const {
        // LibTorch's writer ends the program where a write fails, so it is told that all went well.
        std::ofstream out(path, std::ios::binary);
        caffe2::serialize::PyTorchStreamWriter writer([&out](const void* bytes, std::size_t size) {
            out.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
            return size;
        });
        writer.writeRecord("data.pkl", description_.data(), description_.size());
        for (std::size_t i = 0; i < storages_.size(); ++i) {
            const at::Tensor tensor = storages_[i].detach().to(at::kCPU).contiguous();
            writer.writeRecord("data/" + std::to_string(i), tensor.data_ptr(), tensor.nbytes());
        }
        writer.writeEndOfFile();
        if (!out.flush()) throw Error(ErrorCode::io, "cannot be written whole; is there room on the disk?");
    }

  private:
    void put_tensor(const std::string& name, const at::Tensor& tensor) {
        if (!tensor.defined() || tensor.layout() != at::kStrided) {
            refuse_weights("tensor ", in_quotes(name), " is of a kind that a checkpoint does not hold");
        }
        pickle_.put_text(name);
        pickle_.put_tensor(tensor, std::to_string(storages_.size()));
        storages_.push_back(tensor);
    }

    // A fraction becomes a tensor without axes: weights_only of PyTorch 1.13 refuses floats.
    void put_number(const std::string& name, double number) {
        constexpr double exact_integers = 9007199254740992;  // 2^53
        if (std::nearbyint(number) != number || std::abs(number) > exact_integers) {
            return put_tensor(name, at::scalar_tensor(number, at::kDouble));
        }
        pickle_.put_text(name);
        pickle_.put_int(static_cast<std::int64_t>(number));
    }

    void put_weights(const StateDict& weights) {
        pickle_.begin_ordered_dict();
        for (const auto& item : weights) put_tensor(item.key(), item.value());
        pickle_.end_dict();
    }

    void put_nested(const Checkpoint& checkpoint) {
        pickle_.begin_dict();
        for (const auto& item : checkpoint.extra_tensors) put_tensor(item.key(), item.value());
        for (const auto& [name, number] : checkpoint.extra_numbers) put_number(name, number);
        for (const auto& [name, text] : checkpoint.metadata) {
            if (name == framework_key) continue;
            if (const auto number = parse_number(text)) {
                put_number(name, *number);
            } else {
                pickle_.put_text(name);
                pickle_.put_text(text);
            }
        }
        pickle_.put_text(checkpoint.weights_at.empty() ? "state_dict" : checkpoint.weights_at);
        put_weights(checkpoint.weights);
        pickle_.end_dict();
    }

    PickleWriter pickle_;
    std::vector<at::Tensor> storages_;
    std::string description_;
};

}  // namespace

void write_torch_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
    try {
        const TorchFile content(checkpoint);
        AtomicFile file(path);
        content.write(file.temporary());
        file.commit();
    } catch (const Error& error) {
        throw error.within(path.string());
    } catch (const c10::Error&) {
        throw Error(ErrorCode::io, path.string() + ": cannot be written whole; is there room on the disk?");
    }
}

}  // namespace voldiff
