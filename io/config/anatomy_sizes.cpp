#include "io/config/anatomy_sizes.h"

#include "core/error.h"
#include "io/config/scalar.h"

namespace voldiff {

std::vector<AnatomySize> anatomy_sizes(const MaskSection& mask) {
    std::vector<AnatomySize> sizes;
    for (const NodeEntry& entry : raw_node(mask.controllable_anatomy_size).entries) {
        const Node& size = entry.value;
        const auto value = size.kind == NodeKind::scalar && !size.quoted ? parse_number(size.text) : std::nullopt;
        if (!value) {
            throw Error(ErrorCode::config, "'mask.controllable_anatomy_size." + entry.key + "' is " + describe(size) +
                                               ", expected a number from 0 to 1, or -1");
        }
        sizes.push_back({entry.key, *value});
    }
    return sizes;
}

}  // namespace voldiff
