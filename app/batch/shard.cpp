#include "app/batch/shard.h"

#include "core/error.h"
#include "io/config/scalar.h"

#include <cstdlib>

namespace voldiff {

namespace {

constexpr std::int64_t most_shards = 100000;

std::int64_t environment_number(const char* name, std::int64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : parse_integer(text).value_or(otherwise);
}

}  // namespace

Shard parse_shard(const std::string& text) {
    const std::size_t slash = text.find('/');
    const auto index = parse_integer(text.substr(0, slash));
    const auto count = slash == std::string::npos ? std::nullopt : parse_integer(text.substr(slash + 1));
    if (!index || !count || *count < 1 || *count > most_shards || *index < 0 || *index >= *count)
        throw Error(ErrorCode::usage,
                    "--shard is " + show_text(text) + ", expected one of n parts, from 0, as 0/4, 1/4, 2/4 and 3/4");
    return {static_cast<std::size_t>(*index), static_cast<std::size_t>(*count)};
}

Shard slurm_shard() {
    const std::int64_t id = environment_number("SLURM_ARRAY_TASK_ID", -1);
    if (id < 0) return {};
    const std::int64_t least = environment_number("SLURM_ARRAY_TASK_MIN", id);
    const std::int64_t most = environment_number("SLURM_ARRAY_TASK_MAX", id);
    const std::int64_t step = environment_number("SLURM_ARRAY_TASK_STEP", 1);
    if (step < 1 || least < 0 || id < least || id > most || (most - least) / step >= most_shards)
        throw Error(ErrorCode::usage, "SLURM_ARRAY_TASK_ID is " + std::to_string(id) + " of " + std::to_string(least) +
                                          " to " + std::to_string(most) +
                                          ", which is no task of an array; give --shard");
    return {static_cast<std::size_t>((id - least) / step), static_cast<std::size_t>((most - least) / step + 1)};
}

std::vector<const Job*> jobs_of(const std::vector<Job>& jobs, const Shard& shard) {
    std::vector<const Job*> mine;
    for (std::size_t i = shard.index; i < jobs.size(); i += shard.count) mine.push_back(&jobs[i]);
    return mine;
}

}  // namespace voldiff
