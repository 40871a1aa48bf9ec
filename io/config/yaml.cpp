#include "io/config/yaml.h"

#include "core/error.h"
#include "io/config/scalar.h"
#include "io/config/utf8.h"
#include "io/file.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>

namespace voldiff {

namespace {

constexpr std::size_t max_bytes = std::size_t{16} << 20;
constexpr std::size_t max_depth = 64;
constexpr std::size_t max_nodes = 20000;

// Builds the tree from the parser's events: unlike YAML::Node it keeps the place of every key, notices a key that comes
// twice, and can stop at a limit before memory is spent.
class Builder : public YAML::EventHandler {
  public:
    Builder(const std::string& source, bool with_lines)
        : source_(std::make_shared<const std::string>(source)), with_lines_(with_lines) {}

    Node take() { return std::move(root_); }

    [[noreturn]] void fail(const YAML::Mark& mark, const std::string& message) const {
        throw Error(ErrorCode::config, place(mark).text() + ": " + message);
    }

    void OnDocumentStart(const YAML::Mark& mark) override { root_.mark = place(mark); }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(node_at(mark, NodeKind::null), anchor); }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) fail(mark, "this alias is inside the value that it stands for");
        if (in_key()) fail(mark, "a key is expected to be a plain name, found an alias");
        if (stack_.size() + depth(found->second) > max_depth) fail_depth(mark);
        count(count_nodes(found->second), mark);
        Node copy = found->second;
        add(std::move(copy), 0);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        check_tag(mark, tag);
        if (in_key()) return start_entry(mark, value);
        Node node = node_at(mark, NodeKind::scalar);
        node.text = value;
        node.quoted = tag == "!";
        add(std::move(node), anchor);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value /*style*/) override {
        open(mark, tag, anchor, NodeKind::sequence);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value /*style*/) override {
        open(mark, tag, anchor, NodeKind::map);
    }
    void OnMapEnd() override { close(); }

  private:
    struct Frame {
        Node node;
        YAML::anchor_t anchor = 0;
        std::optional<NodeEntry> entry;  // of a map: the key that waits for its value
        std::set<std::string> keys;
    };

    Mark place(const YAML::Mark& mark) const {
        return with_lines_ ? Mark{source_, mark.line + 1, mark.column + 1} : Mark{source_, 0, 0};
    }

    Node node_at(const YAML::Mark& mark, NodeKind kind) {
        count(1, mark);
        Node node;
        node.kind = kind;
        node.mark = place(mark);
        if (kind != NodeKind::scalar && in_key()) {
            fail(mark, "a key is expected to be a plain name, found " + describe(node) +
                           (kind == NodeKind::null ? "" : "; is a bracket left open?"));
        }
        return node;
    }

    void count(std::size_t more, const YAML::Mark& mark) {
        nodes_ += more;
        if (nodes_ <= max_nodes) return;
        fail(mark, "more than " + std::to_string(max_nodes) + " values, anchors expanded; this is no config file");
    }

    [[noreturn]] void fail_depth(const YAML::Mark& mark) const {
        fail(mark, "more than " + std::to_string(max_depth) + " levels deep; this is no config file");
    }

    static std::size_t depth(const Node& node) {
        std::size_t deepest = 0;
        for (const Node& item : node.items) deepest = std::max(deepest, depth(item));
        for (const NodeEntry& entry : node.entries) deepest = std::max(deepest, depth(entry.value));
        return deepest + 1;
    }

    bool in_key() const { return !stack_.empty() && stack_.back().node.kind == NodeKind::map && !stack_.back().entry; }

    // "?" and "!" are the parser's names for plain and quoted.
    void check_tag(const YAML::Mark& mark, const std::string& tag) const {
        if (!tag.empty() && tag != "?" && tag != "!")
            fail(mark, "the tag " + show_text(tag) + " is not supported; leave it out");
    }

    void start_entry(const YAML::Mark& mark, const std::string& key) {
        Frame& frame = stack_.back();
        if (key == "<<") fail(mark, "merge keys are not supported; name a base file with 'extends'");
        if (!frame.keys.insert(key).second) fail(mark, "the key " + show_text(key) + " is given twice in this map");
        frame.entry = NodeEntry{key, place(mark), {}};
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, NodeKind kind) {
        check_tag(mark, tag);
        if (stack_.size() >= max_depth) fail_depth(mark);
        Node node = node_at(mark, kind);
        stack_.push_back({std::move(node), anchor, {}, {}});
    }

    void close() {
        Frame frame = std::move(stack_.back());
        stack_.pop_back();
        add(std::move(frame.node), frame.anchor);
    }

    void add(Node node, YAML::anchor_t anchor) {
        if (anchor != 0) {
            nodes_ += count_nodes(node);
            anchors_[anchor] = node;
        }
        if (stack_.empty()) {
            root_ = std::move(node);
        } else if (Frame& frame = stack_.back(); frame.node.kind == NodeKind::sequence) {
            frame.node.items.push_back(std::move(node));
        } else {
            frame.entry->value = std::move(node);
            frame.node.entries.push_back(std::move(*frame.entry));
            frame.entry.reset();
        }
    }

    std::shared_ptr<const std::string> source_;
    bool with_lines_;
    Node root_;
    std::vector<Frame> stack_;
    std::map<YAML::anchor_t, Node> anchors_;
    std::size_t nodes_ = 0;
};

// The parser would take such bytes for the end of the text or replace them silently.
void check_text(const std::string& text, const std::string& source, bool with_lines) {
    const std::size_t bad = find_non_text(text);
    if (bad == std::string::npos) return;
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(bad);
    const auto line = std::count(text.begin(), end, '\n') + 1;
    const std::size_t line_start = bad == 0 ? 0 : text.rfind('\n', bad - 1) + 1;  // npos + 1 is 0
    const Mark mark = mark_of(source, with_lines ? static_cast<int>(line) : 0, static_cast<int>(bad - line_start) + 1);
    throw Error(ErrorCode::config, mark.text() + ": byte " + std::to_string(static_cast<unsigned char>(text[bad])) +
                                       " is no UTF-8 text" + (with_lines ? "; is this a config file?" : ""));
}

Node parse(const std::string& text, const std::string& source, bool with_lines) {
    check_text(text, source, with_lines);
    Builder builder(source, with_lines);
    try {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        parser.HandleNextDocument(builder);
        Node root = builder.take();
        if (!root.mark.source) root.mark = mark_of(source, with_lines ? 1 : 0, with_lines ? 1 : 0);
        if (parser.HandleNextDocument(builder)) {
            const Mark second = builder.take().mark;
            throw Error(ErrorCode::config, second.text() + ": a second document starts here, expected one in a file");
        }
        return root;
    } catch (const YAML::Exception& e) {
        builder.fail(e.mark, "syntax error: " + e.msg);
    }
}

}  // namespace

Node parse_yaml(const std::string& text, const std::string& source) { return parse(text, source, true); }

Node parse_option_value(const std::string& text, const std::string& source) { return parse(text, source, false); }

Node text_option_value(const std::string& text, const std::string& source) {
    check_text(text, source, false);
    Node node = make_scalar(text, mark_of(source));
    node.quoted = true;
    return node;
}

Node load_yaml(const std::filesystem::path& file) { return parse_yaml(read_text(file, max_bytes), file.string()); }

}  // namespace voldiff
