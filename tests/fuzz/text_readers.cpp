// The readers of text that people, or other programs, write: configs, lists of runs, tables, records, journals.
#include "app/batch/batch_file.h"
#include "app/batch/claim.h"
#include "app/batch/csv.h"
#include "app/batch/history.h"
#include "app/batch/journal.h"
#include "core/error.h"
#include "core/option.h"
#include "io/anatomy/mask_database.h"
#include "io/anatomy/tables.h"
#include "io/config/anatomy_sizes.h"
#include "io/config/maisi_config.h"
#include "io/config/print.h"
#include "io/config/reader.h"
#include "io/config/run_config.h"
#include "io/config/trained.h"
#include "io/config/yaml.h"
#include "io/latent/latent_record.h"
#include "tests/fuzz/readers.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace voldiff::fuzz {
namespace {

struct Inner : OptionGroup {
    std::array<double, 3> triple{1, 2, 3};
    std::vector<std::string> words;
    void visit_options(OptionVisitor& v) override {
        v.visit(Option("d", "three numbers").in(0, 1e6), triple);
        v.visit(Option("e", "words"), words);
    }
};

// Options of every kind, with short names that a fuzzer finds.
struct AllKinds : OptionGroup {
    bool flag = false;
    std::int64_t count = 0;
    double number = 0;
    std::string text;
    std::vector<std::int64_t> list;
    std::array<std::int64_t, 3> size{1, 1, 1};
    PerLevel levels{1};
    RawOptions raw;
    OptionMapOf<Inner> map;
    Inner group;
    void visit_options(OptionVisitor& v) override {
        v.visit(Option("b", "a flag"), flag);
        v.visit(Option("i", "an integer").in(-10, 1e9).also_called("j"), count);
        v.visit(Option("n", "a number"), number);
        v.visit(Option("t", "a text"), text);
        v.visit(Option("l", "integers"), list);
        v.visit(Option("s", "a size").in(1, 65536), size);
        v.visit(Option("p", "levels"), levels);
        v.visit(Option("r", "raw"), raw);
        v.visit(Option("m", "a map"), map);
        v.visit(Option("g", "a group"), group);
    }
};

void read_all(AllKinds& kinds, const Node& root) {
    Problems problems;
    const ReadContext context{&problems, nullptr, {"g.d"}};
    read_options(kinds, root, "", context);
    problems.throw_if_any();
}

// What is read is printed and read again, to the same text.
void read_config(std::string_view bytes) {
    const Node root = parse_yaml(std::string(bytes), "fuzz.yaml");
    to_json(root);
    if (root.kind != NodeKind::map) return;
    AllKinds kinds;
    read_all(kinds, root);
    const std::string text = to_yaml(to_node(kinds), false);
    AllKinds again;
    read_all(again, parse_yaml(text, "again.yaml"));
    if (to_yaml(to_node(again), false) != text) std::abort();
}

void read_table(std::string_view bytes) { parse_csv(std::string(bytes), "fuzz.csv"); }

// Bytes with a path, without a disk.
class MemoryFile {
  public:
    explicit MemoryFile(std::string_view bytes) : file_(::memfd_create("fuzz", MFD_CLOEXEC)) {
        if (file_ < 0 || ::write(file_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
    }
    ~MemoryFile() { ::close(file_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(file_); }

  private:
    int file_;
};

// The part before the next zero.
std::string_view take_part(std::string_view& bytes) {
    const std::string_view part = bytes.substr(0, bytes.find('\0'));
    bytes.remove_prefix(std::min(part.size() + 1, bytes.size()));
    return part;
}

void use(RunConfig run) {
    check_trained(run);
    anatomy_sizes(run.mask);
    to_json(to_node(run));
}

void read_run(std::string_view bytes) { use(load_run_config({MemoryFile(bytes).path(), {}, {}})); }

// The three files with zeros between.
void read_maisi(std::string_view bytes) {
    const MemoryFile network(take_part(bytes)), environment(take_part(bytes)), inference(bytes);
    for (const bool with_controlnet : {false, true}) {
        try {
            use(load_maisi_config({network.path(), environment.path(), inference.path(), with_controlnet}));
        } catch (const Error&) {  // the other way may accept it
        }
    }
}

void read_batch(std::string_view bytes) {
    for (const Cell& cell : read_batch_file(MemoryFile(bytes).path())) name_part(cell);
}

void read_library(std::string_view bytes) {
    const MemoryFile file(bytes);
    for (const auto& read : {+[](const std::filesystem::path& path) { read_mask_library(path); },
                             +[](const std::filesystem::path& path) { read_size_conditions(path); },
                             +[](const std::filesystem::path& path) { read_label_pairs(path); }}) {
        try {
            read(file.path());
        } catch (const Error&) {  // the file is one of the three at most
        }
    }
}

void read_record(std::string_view bytes) {
    const auto json = nlohmann::ordered_json::parse(bytes.begin(), bytes.end(), nullptr, false);
    to_json(parse_latent_record(json, "fuzz.json"));
}

void read_events(std::string_view bytes) {
    const std::vector<JournalEvent> events = read_journal(MemoryFile(bytes).path());
    unfinished_starts(events);
    failures_of(events);
}

// A claim on a volume, seen twice.
void read_claims(std::string_view bytes) {
    namespace fs = std::filesystem;
    static const fs::path folder = fs::temp_directory_path() / ("voldiff-fuzz-" + std::to_string(::getpid()));
    static Claims claims(std::chrono::hours(1));
    fs::create_directories(folder);
    const fs::path volume = folder / "v.nii.gz";
    std::ofstream(claim_path(volume, 0), std::ios::binary) << bytes;
    if (!claims.take(volume)) claims.take(volume, Claims::Clock::now() + std::chrono::hours(2));
    claims.release(volume);
    fs::remove_all(folder);
}

// Files that the bytes name need not be there.
template <ReadBytes read>
void read_or_refuse(std::string_view bytes) {
    try {
        read(bytes);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::config && error.code() != ErrorCode::io) throw;
    }
}

}  // namespace

const std::vector<Reader>& text_readers() {
    static const std::vector<Reader> readers{
        {"config", read_or_refuse<read_config>}, {"csv", read_or_refuse<read_table>},
        {"run", read_or_refuse<read_run>},       {"maisi", read_or_refuse<read_maisi>},
        {"batch", read_or_refuse<read_batch>},   {"library", read_or_refuse<read_library>},
        {"record", read_or_refuse<read_record>}, {"journal", read_or_refuse<read_events>},
        {"claim", read_or_refuse<read_claims>},
    };
    return readers;
}

}  // namespace voldiff::fuzz
