// Words for messages: what a user probably meant.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace voldiff {

// Damerau-Levenshtein distance (optimal string alignment): inserted, deleted, changed and swapped neighbouring bytes.
std::size_t edit_distance(const std::string& a, const std::string& b);

// The candidate with the fewest edits from `word`, the first of several, or "" where all need more than
// max(1, word.size() / 3). Letter case counts as no edit.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

// "a, b, c"
std::string join(const std::vector<std::string>& words, const std::string& separator = ", ");

std::string gigabytes(double bytes);  // "1.5 GB"

}  // namespace voldiff
