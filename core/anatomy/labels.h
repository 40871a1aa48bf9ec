// Label volumes: an integer a voxel that says which structure it belongs to. The values are MAISI's (configs/labels).
// All functions take any integer type and any shape, and leave their arguments as they are.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace voldiff {

// Values that the code itself has to know; all others are data.
namespace label {
constexpr std::int64_t background = 0;
constexpr std::int64_t liver = 1;
constexpr std::int64_t spleen = 3;
constexpr std::int64_t pancreas = 4;
constexpr std::int64_t right_kidney = 5;
constexpr std::int64_t stomach = 12;
constexpr std::int64_t duodenum = 13;
constexpr std::int64_t left_kidney = 14;
constexpr std::int64_t small_bowel = 19;
constexpr std::int64_t brain = 22;
constexpr std::int64_t lung_tumor = 23;
constexpr std::int64_t pancreatic_tumor = 24;
constexpr std::int64_t hepatic_vessel = 25;
constexpr std::int64_t hepatic_tumor = 26;
constexpr std::int64_t colon_cancer = 27;
constexpr std::int64_t trachea = 57;
constexpr std::int64_t colon = 62;
constexpr std::int64_t bone_lesion = 128;
constexpr std::int64_t kidney_tumor = 129;
constexpr std::int64_t airway = 132;
constexpr std::int64_t body = 200;              // all of the body that has no label of its own
const std::vector<std::int64_t>& lung_lobes();  // 28 to 32
}  // namespace label

// Voxels of each value that occurs, in order of the values.
using LabelCounts = std::map<std::int64_t, std::int64_t>;

// Throws Error(config) where the values span more than a million, which no label table does.
LabelCounts count_labels(const at::Tensor& labels);

// The labels of a volume read from a file: integers as they are, floating-point values as int32.
// Throws Error(config), with the number of voxels, where values are not whole numbers within int32.
at::Tensor as_labels(const at::Tensor& voxels);

// Where the value is `value`, or one of `values`. Boolean, of the labels' shape. A value that the type cannot hold is
// nowhere.
at::Tensor where_label(const at::Tensor& labels, std::int64_t value);
at::Tensor where_label(const at::Tensor& labels, const std::vector<std::int64_t>& values);

// Every `first` becomes `second`. All are looked up in `labels` itself, so that pairs do not chain; values without a
// pair stay. Source: NV-Generate-CTMR scripts/utils.py (remap_labels, MapLabelValue), scripts/augmentation.py
// (remap_labels).
using LabelPairs = std::vector<std::pair<std::int64_t, std::int64_t>>;
at::Tensor replace_labels(const at::Tensor& labels, const LabelPairs& pairs);

// Organ i of the list becomes i + 1, everything else 0. Of a value given twice the first counts. int64.
// Source: scripts/sample_mask.py (filter_mask_with_organs).
at::Tensor keep_organs(const at::Tensor& labels, const std::vector<std::int64_t>& organs);

// A copy of `image` (HU or MR units) with the air around the body made even: `value`, the least of the image's
// range, wherever the label is 0. Source: scripts/infer_image_from_mask.py (crop_img_body_mask).
at::Tensor with_even_background(const at::Tensor& image, const at::Tensor& labels, double value);

}  // namespace voldiff
