// The README's table of checkpoints and networks, cell by cell: what loads, what is converted, what is refused, and
// whether the network then computes what the weights were trained for.
#include "core/error.h"
#include "core/networks/diffusion_unet.h"
#include "core/state_dict/load.h"
#include "core/state_dict/projections.h"
#include "tests/support/random_weights.h"

#include <gtest/gtest.h>

#include <ATen/ops/cat.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

namespace voldiff {
namespace {

DiffusionUnetConfig network_config(bool conditioned, bool include_fc, bool combined) {
    DiffusionUnetConfig config = small_unet_config();
    config.include_fc = include_fc;
    config.use_combined_linear = combined;
    config.with_conditioning = conditioned;
    if (conditioned) config.cross_attention_dim = 3;
    return config;
}

struct Saved {
    StateDict weights;
    at::Tensor output;  // of the network as it was trained
};

// A network of MONAI's, saved.
Saved save_native(bool conditioned, bool include_fc, bool combined) {
    DiffusionUnet network(network_config(conditioned, include_fc, combined));
    fill_randomly(network, 7);
    return {state_dict_of(network), probe(network, 1)[0]};
}

// A network of GenerativeModels: self-attention blocks own a projection and never apply it, transformers apply theirs.
Saved save_generative(bool conditioned) {
    const Saved native = save_native(conditioned, conditioned, false);
    const KeyLayout layout = unet_layouts()[1];
    Saved old{StateDict(), native.output};
    for (const auto& item : native.weights) {
        old.weights.insert(layout.to_layout(item.key()), item.value());
        const auto parts = split_key(item.key());
        if (conditioned || !parts || parts->layer != "to_q") continue;
        old.weights.insert(layout.to_layout(parts->with("out_proj")), at::randn(item.value().sizes()));
    }
    return old;
}

// The rows of the table, by the start of their first cell.
struct Row {
    std::string name;
    bool conditioned;
    Saved (*save)(bool combined);
    bool fusable;
};

const std::vector<Row>& rows() {
    static const std::vector<Row> all = {
        {"MONAI 1.5 without `out_proj`", false, [](bool c) { return save_native(false, false, c); }, true},
        {"MONAI 1.5 without `out_proj`", true, [](bool c) { return save_native(true, false, c); }, true},
        {"MONAI 1.4 and 1.5 with `out_proj`", false, [](bool c) { return save_native(false, true, c); }, true},
        {"MONAI 1.4 and 1.5 with `out_proj`", true, [](bool c) { return save_native(true, true, c); }, true},
        {"GenerativeModels, `proj_attn`", false, [](bool) { return save_generative(false); }, false},
        {"GenerativeModels transformer, `to_out.0`", true, [](bool) { return save_generative(true); }, false},
    };
    return all;
}

// "refused; `identity` exact, `apply` warns" -> what each rule gives.
std::map<std::string, std::string> parse_cell(const std::string& cell) {
    std::map<std::string, std::string> outcomes;
    std::istringstream text(cell);
    std::string word;
    text >> word;
    const std::string first = word.substr(0, word.find_first_of(";,"));
    for (const std::string& rule : projection_rule_names()) outcomes[rule] = first;
    while (text >> word) {
        const std::string rule = word.substr(1, word.size() - 2);
        if (outcomes.count(rule) == 0) {
            ADD_FAILURE() << "README: '" << rule << "' in '" << cell << "' is no rule";
            break;
        }
        text >> word;
        outcomes[rule] = word.substr(0, word.find_first_of(";,"));
    }
    return outcomes;
}

std::vector<std::string> split_row(const std::string& line) {
    std::vector<std::string> cells;
    std::istringstream text(line.substr(1));
    for (std::string cell; std::getline(text, cell, '|');) {
        const std::size_t begin = cell.find_first_not_of(' ');
        cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, cell.find_last_not_of(' ') - begin + 1));
    }
    return cells;
}

// Row name -> cells of include_fc false and true.
std::map<std::string, std::vector<std::string>> readme_table() {
    std::ifstream readme(PROJECT_ROOT "/README.md");
    std::map<std::string, std::vector<std::string>> table;
    for (std::string line; std::getline(readme, line);) {
        if (line.rfind("| MONAI", 0) != 0 && line.rfind("| GenerativeModels", 0) != 0) continue;
        const auto cells = split_row(line);
        if (cells.size() == 3) table[cells[0]] = {cells[1], cells[2]};
    }
    return table;
}

std::string outcome_of(const Saved& saved, DiffusionUnet& network, const std::string& rule) {
    std::vector<Change> changes;
    try {
        changes = load_state_dict(network, saved.weights, {}, {network.layouts(), "auto", projection_rule(rule)});
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::weights);
        EXPECT_NE(std::string(error.what()).find("include_fc"), std::string::npos) << error.what();
        return "refused";
    }
    const bool suspicious =
        std::any_of(changes.begin(), changes.end(), [](const Change& change) { return change.suspicious; });
    const double difference = (probe(network, 1)[0] - saved.output).abs().max().item<double>();
    const double scale = saved.output.abs().max().item<double>();
    // Fused and separate projections sum in another order: 20 float32 roundings of the largest value, at most.
    const bool same = difference <= 20 * 6e-8 * scale;
    EXPECT_NE(same, suspicious) << "differs by " << difference << " of " << scale;
    return suspicious ? "warns" : "exact";
}

TEST(LayoutTable, EveryCellOfTheReadmeIsTrue) {
    const auto table = readme_table();
    for (const Row& row : rows()) {
        ASSERT_EQ(table.count(row.name), 1U) << row.name;
        for (const bool include_fc : {false, true}) {
            const auto expected = parse_cell(table.at(row.name)[include_fc ? 1 : 0]);
            for (const auto& [rule, outcome] : expected) {
                for (const bool fused_file : {false, true}) {
                    if (fused_file && !row.fusable) continue;
                    for (const bool fused_network : {false, true}) {
                        SCOPED_TRACE(row.name + (row.conditioned ? ", transformer" : "") + ", include_fc " +
                                     std::to_string(include_fc) + ", " + rule + ", fused file " +
                                     std::to_string(fused_file) + ", network " + std::to_string(fused_network));
                        DiffusionUnet network(network_config(row.conditioned, include_fc, fused_network));
                        EXPECT_EQ(outcome_of(row.save(fused_file), network, rule), outcome);
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace voldiff
