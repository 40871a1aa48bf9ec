// Runs the cases of a folder of reference data and prints how far each is from it.
//
//   reference_check DIR [PART_OF_A_NAME]
//
// Exit status 0: every case that is covered passes.
#include "tests/reference/checks.h"

#include <cstdio>
#include <fstream>
#include <iostream>

using namespace voldiff::reference;

namespace {

// A note is text in the data: there is nothing to compute, and so nothing to cover.
enum class Outcome { passed, failed, not_covered, note };

Outcome run(const Case& reference, Comparison& comparison, std::string& note) {
    if (reference.kind == "note") return Outcome::note;
    try {
        for (const auto& [kind, check] : checks()) {
            if (kind != reference.kind) continue;
            check(reference, comparison);
            note = comparison.problems();
            return comparison.passed() ? Outcome::passed : Outcome::failed;
        }
        note = "kind " + reference.kind;
    } catch (const NotCovered& skipped) {
        note = skipped.reason;
    } catch (const std::exception& error) {
        note = error.what();
        return Outcome::failed;
    }
    return Outcome::not_covered;
}

void print(const Case& reference, const Comparison& comparison, Outcome outcome, const std::string& note) {
    const std::string name = reference.group + "/" + reference.name;
    if (outcome == Outcome::not_covered || outcome == Outcome::note) {
        const std::string what = outcome == Outcome::note ? "note" : "not covered: " + note;
        std::printf("%-58s %39s  %s\n", name.c_str(), "", what.c_str());
        return;
    }
    std::printf("%-58s %12.3g %12.3g %12.3g  %s%s\n", name.c_str(), comparison.max_abs(), comparison.max_rel(),
                comparison.tolerance(), outcome == Outcome::passed ? "pass" : "FAIL: ", note.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::cerr << "usage: reference_check DIR [PART_OF_A_NAME]\n";
        return 2;
    }
    const std::filesystem::path root = std::filesystem::absolute(argv[1]);
    const std::string part = argc > 2 ? argv[2] : "";
    std::ifstream index_file(root / "INDEX.json");
    if (!index_file) {
        std::cerr << "error: " << (root / "INDEX.json").string() << " cannot be read\n";
        return 4;
    }
    std::printf("%-58s %12s %12s %12s\n", "case", "max abs", "max rel", "tolerance");
    int counts[4] = {0, 0, 0, 0};
    const nlohmann::json index = nlohmann::json::parse(index_file);
    for (const nlohmann::json& entry : index.at("cases")) {
        const std::string name = entry.at("group").get<std::string>() + "/" + entry.at("name").get<std::string>();
        if (name.find(part) == std::string::npos) continue;
        const Case reference = load_case(root, entry);
        Comparison comparison(reference.tolerance);
        std::string note;
        const Outcome outcome = run(reference, comparison, note);
        print(reference, comparison, outcome, note);
        ++counts[static_cast<int>(outcome)];
    }
    std::printf("%d passed, %d failed, %d not covered, %d notes\n", counts[0], counts[1], counts[2], counts[3]);
    return counts[1] == 0 && counts[0] > 0 ? 0 : 1;
}
