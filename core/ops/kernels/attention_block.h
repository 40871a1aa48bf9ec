// What the attention kernel holds while a block of queries passes the keys. Of attention_kernel.cpp only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace voldiff::ops {

constexpr std::size_t queries_of_block = 48;
constexpr std::size_t keys_of_block = 256;  // a multiple of every panel's columns

struct QueryBlock {
    const float* queries = nullptr;  // [rows, width]
    std::int64_t query_stride = 0;
    std::size_t rows = 0;
    const float* keys = nullptr;    // packed
    const float* values = nullptr;  // packed
    float* scores = nullptr;        // [rows, keys_of_block]
    float* products = nullptr;      // [rows, columns]
    float* sums = nullptr;          // [rows, columns], relative to the maximum
    float* maximum = nullptr;       // [rows]
    double* weight = nullptr;       // [rows], the sum of the exponentials
};

}  // namespace voldiff::ops
