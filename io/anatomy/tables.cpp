#include "io/anatomy/tables.h"

#include "core/error.h"
#include "io/config/scalar.h"
#include "io/config/yaml.h"
#include "io/system/system.h"

namespace voldiff {

namespace {

std::int64_t integer_of(const Node& node, const std::string& name) {
    const auto value = parse_integer(node.text);
    if (node.kind == NodeKind::scalar && value) return *value;
    throw Error(ErrorCode::config,
                node.mark.text() + ": '" + name + "' is " + describe(node) + ", expected an integer");
}

double number_of(const NodeEntry& organ, const std::string& statistic) {
    const Node* node = organ.value.find(statistic);
    const auto value = node == nullptr ? std::nullopt : parse_number(node->text);
    if (value) return *value;
    throw Error(ErrorCode::config, organ.mark.text() + ": '" + organ.key + "' has no number '" + statistic + "'");
}

Node load_table(const std::filesystem::path& file) {
    Node root = load_yaml(file);
    if (root.kind != NodeKind::map || root.entries.empty())
        throw Error(ErrorCode::config, root.mark.text() + ": expected a map of names");
    return root;
}

}  // namespace

LabelTable label_table() {
    LabelTable::Entries entries;
    for (const NodeEntry& entry : load_table(data_directory() / "labels" / "label_dict.json").entries)
        entries.emplace_back(entry.key, integer_of(entry.value, entry.key));
    return LabelTable(std::move(entries));
}

LabelPairs read_label_pairs(const std::filesystem::path& file) {
    LabelPairs pairs;
    for (const NodeEntry& entry : load_table(file).entries) {
        const std::vector<Node>& items = entry.value.items;
        if (items.size() != 2)
            throw Error(ErrorCode::config, entry.mark.text() + ": '" + entry.key + "' is " + describe(entry.value) +
                                               ", expected [class of the mask generator, label value]");
        pairs.emplace_back(integer_of(items[0], entry.key), integer_of(items[1], entry.key));
    }
    return pairs;
}

std::vector<MedianStatistics> ct_median_statistics() {
    std::vector<MedianStatistics> statistics;
    const Node root = load_table(data_directory() / "labels" / "image_median_statistics_ct.json");
    for (const NodeEntry& organ : root.entries)
        statistics.push_back({organ.key, number_of(organ, "sigma_6_low"), number_of(organ, "sigma_6_high"),
                              number_of(organ, "percentile_0_5"), number_of(organ, "percentile_99_5")});
    return statistics;
}

}  // namespace voldiff
