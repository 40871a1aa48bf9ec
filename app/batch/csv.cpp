#include "app/batch/csv.h"

#include "core/error.h"

namespace voldiff {

namespace {

class CsvReader {
  public:
    CsvReader(const std::string& text, const std::string& source) : text_(text), source_(source) {
        if (text_.compare(0, 3, "\xEF\xBB\xBF") == 0) at_ = 3;
    }

    std::vector<CsvRow> read() {
        while (at_ < text_.size()) read_row();
        return std::move(rows_);
    }

  private:
    bool ends(char c) const { return c == '\n' || (c == '\r' && text_.compare(at_, 2, "\r\n") == 0); }

    void read_row() {
        CsvRow row{line_, {}};
        bool more = true;
        while (more) {
            row.cells.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted_cell() : plain_cell());
            more = at_ < text_.size() && text_[at_] == ',';
            if (more) ++at_;
        }
        if (at_ < text_.size()) at_ += text_[at_] == '\r' ? 2 : 1;
        ++line_;
        if (row.cells.size() > 1 || !row.cells.front().empty()) rows_.push_back(std::move(row));
    }

    std::string plain_cell() {
        const std::size_t start = at_;
        while (at_ < text_.size() && text_[at_] != ',' && !ends(text_[at_])) {
            if (text_[at_] == '"') fail("a quote stands within a cell");
            ++at_;
        }
        return text_.substr(start, at_ - start);
    }

    std::string quoted_cell() {
        std::string cell;
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '"') {
                if (text_.compare(at_, 2, "\"\"") != 0) return close(cell);
                ++at_;
            }
            if (text_[at_] == '\n') ++line_;
            cell += text_[at_];
        }
        fail("a quote is left open");
    }

    std::string close(std::string cell) {
        ++at_;
        if (at_ < text_.size() && text_[at_] != ',' && !ends(text_[at_])) fail("text follows the quote of a cell");
        return cell;
    }

    [[noreturn]] void fail(const std::string& what) const {
        throw Error(ErrorCode::config, source_ + ":" + std::to_string(line_) + ": " + what +
                                           "; expected cells like a,\"b, c\",\"with \"\"quotes\"\"\"");
    }

    const std::string& text_;
    const std::string& source_;
    std::size_t at_ = 0;
    int line_ = 1;
    std::vector<CsvRow> rows_;
};

}  // namespace

std::vector<CsvRow> parse_csv(const std::string& text, const std::string& source) {
    return CsvReader(text, source).read();
}

}  // namespace voldiff
