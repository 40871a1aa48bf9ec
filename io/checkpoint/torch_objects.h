// What the objects in a pickle of PyTorch mean: mappings, numbers, and tensors over storages.
//
// Only the constructors that are named in torch_objects.cpp are understood. Every other object stays what it is in the
// pickle, a name with arguments.
#pragma once

#include "io/checkpoint/mapped_file.h"
#include "io/checkpoint/pickle.h"

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace voldiff {

using MappingItems = std::vector<std::pair<std::string, const PickleValue*>>;

// Entries of a dict or OrderedDict, empty for any other value. Throws Error(weights) for keys that are not texts, that
// appear twice, are longer than 1000 bytes or hold control characters.
std::optional<MappingItems> mapping_of(const PickleValue& value);

// An integer or a float, also as a numpy scalar; empty for any other value.
std::optional<double> number_of(const PickleValue& value);

// Part of a storage that a tensor refers to.
struct StorageReference {
    std::string key;
    at::ScalarType dtype = at::kByte;
    std::uint64_t size = 0;  // of the whole storage, in bytes
    std::uint64_t view_offset = 0;
    std::uint64_t view_size = 0;
};

// Of a value of kind `persistent`. `dtype` overrides the one of the storage. Empty where it is no storage; throws
// Error(weights) where it is a malformed one.
std::optional<StorageReference> storage_reference(const PickleValue& value,
                                                  std::optional<at::ScalarType> dtype = std::nullopt);

// Bytes of a whole storage. Throws Error(weights) where it is missing, damaged or has another size.
using StorageLoader = std::function<Blob(const StorageReference&)>;

class TensorReader {
  public:
    explicit TensorReader(StorageLoader load) : load_(std::move(load)) {}

    // Empty where the value is no dense tensor. Parameters are tensors. The tensor is on the CPU, whatever device it
    // was saved from, and shares its bytes with others of the same storage. Throws Error(weights), with the name, where
    // it is damaged.
    std::optional<at::Tensor> read(const std::string& name, const PickleValue& value);

  private:
    at::Tensor rebuild(const PickleValue& function, const std::vector<const PickleValue*>& arguments);
    Blob storage(const StorageReference& reference);

    StorageLoader load_;
    std::map<std::pair<std::string, at::ScalarType>, Blob> storages_;
};

// Objects of classes that are not understood.
std::size_t count_foreign_objects(const Pickle& pickle);

}  // namespace voldiff
