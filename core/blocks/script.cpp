#include "core/blocks/script.h"

#include <array>
#include <charconv>
#include <sstream>

namespace voldiff::script {

std::string member(const std::string& key) {
    std::string text = "self";
    std::istringstream parts(key);
    for (std::string part; std::getline(parts, part, '.');) {
        const bool is_number = part.find_first_not_of("0123456789") == std::string::npos;
        text = is_number ? "getattr(" + text + ", \"" + part + "\")" : text + "." + part;
    }
    return text;
}

std::string list(const std::vector<std::int64_t>& values) {
    std::string text;
    for (const std::int64_t value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
    return "[" + text + "]";
}

std::string number(double value) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    std::string text(buffer.data(), end);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string type(at::ScalarType type) { return std::to_string(static_cast<int>(type)); }

std::string fill(std::string text, const std::vector<std::pair<std::string, std::string>>& values) {
    for (const auto& [name, value] : values) {
        const std::string mark = "$" + name;
        for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size())) {
            text.replace(at, mark.size(), value);
        }
    }
    return text;
}

std::string attention(double scale, const std::string& adjust) {
    return fill(R"(
    keys = k.transpose(2, 3)
    chunk = max(1, 8388608 // max(1, q.size(0) * q.size(1) * k.size(2)))
    chunks: List[Tensor] = []
    begin = 0
    while begin < q.size(2):
        end = min(begin + chunk, q.size(2))
        scores = torch.matmul(q.slice(2, begin, end, 1), keys) * $scale
$adjust
        chunks.append(torch.matmul(torch.softmax(scores, -1).to(v.dtype), v))
        begin = end
    y = torch.cat(chunks, 2)
)",
                {{"scale", number(scale)}, {"adjust", adjust}});
}

}  // namespace voldiff::script
