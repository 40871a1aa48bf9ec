#include "io/checkpoint/safetensors_header.h"

#include "io/checkpoint/message.h"

#include <nlohmann/json.hpp>

#include <set>
#include <string>

namespace voldiff {
namespace {

using nlohmann::json;

// Goes through the header before it is parsed: bounds the depth, and refuses names that appear twice, of which the
// parser would keep the last. As a callback of the parser it would take time that grows with the square of the entries.
class HeaderGuard : public nlohmann::json_sax<json> {
  public:
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(json::number_integer_t) override { return true; }
    bool number_unsigned(json::number_unsigned_t) override { return true; }
    bool number_float(json::number_float_t, const std::string&) override { return true; }
    bool string(std::string&) override { return true; }
    bool binary(json::binary_t&) override { return true; }
    bool start_object(std::size_t) override { return enter(); }
    bool end_object() override { return leave(); }
    bool start_array(std::size_t) override { return enter(); }
    bool end_array() override { return leave(); }
    bool parse_error(std::size_t, const std::string&, const json::exception&) override { return false; }

    bool key(std::string& name) override {
        if (depth_ == 1 && !names_.insert(name).second) {
            refuse_weights("the header names tensor ", in_quotes(name), " twice");
        }
        return true;
    }

  private:
    bool enter() {
        constexpr int kDeepest = 4;
        if (++depth_ > kDeepest) {
            refuse_weights("the header is nested deeper than ", kDeepest);
        }
        return true;
    }
    bool leave() {
        --depth_;
        return true;
    }

    std::set<std::string> names_;
    int depth_ = 0;
};

}  // namespace

json parse_safetensors_header(std::string_view text) {
    HeaderGuard guard;
    if (text.empty() || text.front() != '{' || !json::sax_parse(text.begin(), text.end(), &guard)) {
        refuse_weights("the header is not a valid JSON object; the file is damaged");
    }
    return json::parse(text.begin(), text.end());
}

}  // namespace voldiff
