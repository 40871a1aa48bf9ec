// What a Python pickle (protocols 2 to 5) describes, as a graph of plain values.
//
// Nothing of a pickle is run: a call, such as the one that rebuilds a tensor, becomes a value of kind `object` that
// names the callable and its arguments, and who reads the graph decides what it means. Values may refer to each other
// in cycles.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace voldiff {

struct PickleValue {
    enum class Kind {
        none,
        boolean,
        integer,
        big_integer,
        real,
        string,
        bytes,
        tuple,
        list,
        set,
        dict,
        global,      // a class or function
        object,      // the result of a call
        persistent,  // kept outside of the pickle, a storage say
    };

    Kind kind = Kind::none;
    std::int64_t integer = 0;  // of integers and booleans
    double real = 0;
    std::string_view text;                     // string (UTF-8), bytes, big_integer (little-endian), global: its module
    std::string_view name;                     // global: without the module
    std::vector<const PickleValue*> elements;  // tuple, list, set, object: what was appended; persistent: its id
    std::vector<std::pair<const PickleValue*, const PickleValue*>> items;  // dict, object: what was set, in order
    const PickleValue* callable = nullptr;                                 // object
    const PickleValue* arguments = nullptr;                                // object: a tuple
    const PickleValue* state = nullptr;                                    // object: what BUILD gave it, or null

    bool is_global(std::string_view module_name, std::string_view global_name) const {
        return kind == Kind::global && text == module_name && name == global_name;
    }
};

struct Pickle {
    std::deque<PickleValue> values;  // all of them, in the order of their making
    const PickleValue* root = nullptr;
    std::size_t size = 0;  // bytes from the first to the final STOP
};

// Reads one pickle from the start of `bytes`, which the result points into. Throws Error(weights), with the byte, for a
// damaged pickle, one of protocol 0 or 1, or one of more than a million instructions.
Pickle parse_pickle(std::string_view bytes);

// "what it is" for messages: "a number", "an object of class posix.system", ...
std::string describe(const PickleValue& value);

}  // namespace voldiff
