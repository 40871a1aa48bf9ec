#include "io/checkpoint/pickle.h"

#include "io/checkpoint/byte_reader.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace voldiff {
namespace {

using Kind = PickleValue::Kind;

// Each makes at most one value, so this bounds the memory as well. A network of two thousand tensors takes 90,000.
constexpr std::size_t kMostInstructions = 1'000'000;
constexpr unsigned kNewestProtocol = 5;

// The stack machine that pickles are written for. Instructions:
// https://github.com/python/cpython/blob/main/Lib/pickletools.py
class PickleMachine {
  public:
    explicit PickleMachine(std::string_view bytes) : reader(bytes) {}

    Pickle run();

    PickleValue* push(Kind kind) {
        auto& value = pickle_.values.emplace_back();
        value.kind = kind;
        stack_.push_back(&value);
        return &value;
    }
    void push(PickleValue* value) { stack_.push_back(value); }
    void push_integer(std::int64_t integer) { push(Kind::integer)->integer = integer; }
    void push_boolean(bool value) { push(Kind::boolean)->integer = value ? 1 : 0; }
    void push_text(Kind kind, std::uint64_t size) {
        const auto text = reader.take(size);
        push(kind)->text = text;
    }
    void push_long(std::uint64_t size);
    void push_global(std::string_view module_name, std::string_view name);

    PickleValue* top();
    PickleValue* pop();
    PickleValue* pop(Kind kind);
    void pop_or_unmark();

    void mark() { marks_.push_back(stack_.size()); }
    std::vector<const PickleValue*> pop_to_mark();

    void push_tuple_of(std::size_t count);
    void push_elements(Kind kind) { push(kind)->elements = pop_to_mark(); }
    void append(const std::vector<const PickleValue*>& elements);
    void set_items(const std::vector<const PickleValue*>& keys_and_values);

    void call(const PickleValue* callable, const PickleValue* arguments);
    void build();

    void put(std::uint32_t index) { memo_[index] = top(); }
    void memoize() { put(static_cast<std::uint32_t>(memo_.size())); }
    void get(std::uint32_t index);

    ByteReader reader;

  private:
    std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

    Pickle pickle_;
    std::vector<PickleValue*> stack_;
    std::vector<std::size_t> marks_;
    std::unordered_map<std::uint32_t, PickleValue*> memo_;
};

void PickleMachine::push_long(std::uint64_t size) {
    const auto bytes = reader.take(size);
    if (bytes.size() > sizeof(std::int64_t)) {
        push(Kind::big_integer)->text = bytes;
        return;
    }
    std::uint64_t number = (!bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80U) != 0) ? ~0ULL : 0;
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
        number = (number << 8U) | static_cast<unsigned char>(*byte);
    }
    push_integer(static_cast<std::int64_t>(number));
}

void PickleMachine::push_global(std::string_view module_name, std::string_view name) {
    if (!is_usable_name(module_name) || !is_usable_name(name)) {
        refuse_weights("the name of a class is too long or holds control characters");
    }
    auto* global = push(Kind::global);
    global->text = module_name;
    global->name = name;
}

PickleValue* PickleMachine::top() {
    if (stack_.size() <= floor()) {
        refuse_weights("an instruction finds its stack empty");
    }
    return stack_.back();
}

PickleValue* PickleMachine::pop() {
    auto* value = top();
    stack_.pop_back();
    return value;
}

PickleValue* PickleMachine::pop(Kind kind) {
    auto* value = pop();
    if (value->kind != kind) {
        refuse_weights("an instruction cannot work on ", describe(*value));
    }
    return value;
}

void PickleMachine::pop_or_unmark() {
    if (!marks_.empty() && marks_.back() == stack_.size()) {
        marks_.pop_back();
    } else {
        pop();
    }
}

std::vector<const PickleValue*> PickleMachine::pop_to_mark() {
    if (marks_.empty()) {
        refuse_weights("an instruction finds no mark on the stack");
    }
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(floor());
    std::vector<const PickleValue*> values(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return values;
}

void PickleMachine::push_tuple_of(std::size_t count) {
    std::vector<const PickleValue*> elements(count);
    for (auto element = elements.rbegin(); element != elements.rend(); ++element) {
        *element = pop();
    }
    push(Kind::tuple)->elements = std::move(elements);
}

void PickleMachine::append(const std::vector<const PickleValue*>& elements) {
    auto* target = top();
    if (target->kind != Kind::list && target->kind != Kind::set && target->kind != Kind::object) {
        refuse_weights("an instruction appends to ", describe(*target));
    }
    target->elements.insert(target->elements.end(), elements.begin(), elements.end());
}

void PickleMachine::set_items(const std::vector<const PickleValue*>& keys_and_values) {
    auto* target = top();
    if ((target->kind != Kind::dict && target->kind != Kind::object) || keys_and_values.size() % 2 != 0) {
        refuse_weights("an instruction sets ", keys_and_values.size(), " keys and values of ", describe(*target));
    }
    for (std::size_t i = 0; i < keys_and_values.size(); i += 2) {
        target->items.emplace_back(keys_and_values[i], keys_and_values[i + 1]);
    }
}

void PickleMachine::call(const PickleValue* callable, const PickleValue* arguments) {
    auto* object = push(Kind::object);
    object->callable = callable;
    object->arguments = arguments;
}

void PickleMachine::build() {
    const auto* state = pop();
    auto* object = top();
    if (object->kind != Kind::object) {
        refuse_weights("an instruction gives a state to ", describe(*object));
    }
    object->state = state;
}

void PickleMachine::get(std::uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) {
        refuse_weights("refers to value ", index, ", which was never stored");
    }
    push(found->second);
}

using Instruction = void (*)(PickleMachine&);
using InstructionTable = std::array<Instruction, 256>;

void add_constants(InstructionTable& table) {
    table['N'] = [](PickleMachine& m) { m.push(Kind::none); };
    table[0x88] = [](PickleMachine& m) { m.push_boolean(true); };
    table[0x89] = [](PickleMachine& m) { m.push_boolean(false); };
    table['J'] = [](PickleMachine& m) { m.push_integer(m.reader.take_number<std::int32_t>()); };
    table['K'] = [](PickleMachine& m) { m.push_integer(m.reader.take_number<std::uint8_t>()); };
    table['M'] = [](PickleMachine& m) { m.push_integer(m.reader.take_number<std::uint16_t>()); };
    table[0x8a] = [](PickleMachine& m) { m.push_long(m.reader.take_number<std::uint8_t>()); };
    table[0x8b] = [](PickleMachine& m) { m.push_long(m.reader.take_number<std::uint32_t>()); };
    table['G'] = [](PickleMachine& m) {
        const auto bytes = m.reader.take(sizeof(double));  // big-endian
        std::array<char, sizeof(double)> reversed{};
        std::reverse_copy(bytes.begin(), bytes.end(), reversed.begin());
        std::memcpy(&m.push(Kind::real)->real, reversed.data(), reversed.size());
    };
}

void add_texts(InstructionTable& table) {
    const auto add = [&](unsigned char code, Instruction instruction) { table.at(code) = instruction; };
    add('X', [](PickleMachine& m) { m.push_text(Kind::string, m.reader.take_number<std::uint32_t>()); });
    add('T', [](PickleMachine& m) { m.push_text(Kind::string, m.reader.take_number<std::uint32_t>()); });
    add('U', [](PickleMachine& m) { m.push_text(Kind::string, m.reader.take_number<std::uint8_t>()); });
    add(0x8c, [](PickleMachine& m) { m.push_text(Kind::string, m.reader.take_number<std::uint8_t>()); });
    add(0x8d, [](PickleMachine& m) { m.push_text(Kind::string, m.reader.take_number<std::uint64_t>()); });
    add('B', [](PickleMachine& m) { m.push_text(Kind::bytes, m.reader.take_number<std::uint32_t>()); });
    add('C', [](PickleMachine& m) { m.push_text(Kind::bytes, m.reader.take_number<std::uint8_t>()); });
    add(0x8e, [](PickleMachine& m) { m.push_text(Kind::bytes, m.reader.take_number<std::uint64_t>()); });
    add(0x96, [](PickleMachine& m) { m.push_text(Kind::bytes, m.reader.take_number<std::uint64_t>()); });
}

void add_containers(InstructionTable& table) {
    table[')'] = [](PickleMachine& m) { m.push(Kind::tuple); };
    table[']'] = [](PickleMachine& m) { m.push(Kind::list); };
    table['}'] = [](PickleMachine& m) { m.push(Kind::dict); };
    table[0x8f] = [](PickleMachine& m) { m.push(Kind::set); };
    table[0x85] = [](PickleMachine& m) { m.push_tuple_of(1); };
    table[0x86] = [](PickleMachine& m) { m.push_tuple_of(2); };
    table[0x87] = [](PickleMachine& m) { m.push_tuple_of(3); };
    table['t'] = [](PickleMachine& m) { m.push_elements(Kind::tuple); };
    table['l'] = [](PickleMachine& m) { m.push_elements(Kind::list); };
    table[0x91] = [](PickleMachine& m) { m.push_elements(Kind::set); };
    table['d'] = [](PickleMachine& m) {
        const auto items = m.pop_to_mark();
        m.push(Kind::dict);
        m.set_items(items);
    };
    table['a'] = [](PickleMachine& m) {
        const auto* element = m.pop();
        m.append({element});
    };
    table['s'] = [](PickleMachine& m) {
        const auto* value = m.pop();
        const auto* key = m.pop();
        m.set_items({key, value});
    };
    table['e'] = [](PickleMachine& m) { m.append(m.pop_to_mark()); };
    table[0x90] = table['e'];
    table['u'] = [](PickleMachine& m) { m.set_items(m.pop_to_mark()); };
}

void add_objects(InstructionTable& table) {
    table['c'] = [](PickleMachine& m) {
        const auto module_name = m.reader.take_line();
        m.push_global(module_name, m.reader.take_line());
    };
    table[0x93] = [](PickleMachine& m) {
        const auto name = m.pop(Kind::string)->text;
        m.push_global(m.pop(Kind::string)->text, name);
    };
    table['R'] = [](PickleMachine& m) {
        const auto* arguments = m.pop(Kind::tuple);
        m.call(m.pop(), arguments);
    };
    table[0x81] = table['R'];
    table[0x92] = [](PickleMachine& m) {
        m.pop();  // keyword arguments
        const auto* arguments = m.pop(Kind::tuple);
        m.call(m.pop(), arguments);
    };
    table['i'] = [](PickleMachine& m) {
        const auto module_name = m.reader.take_line();
        const auto name = m.reader.take_line();
        m.push_elements(Kind::tuple);
        const auto* arguments = m.pop();
        m.push_global(module_name, name);
        m.call(m.pop(), arguments);
    };
    table['o'] = [](PickleMachine& m) {
        m.push_elements(Kind::tuple);
        auto* arguments = m.pop();
        if (arguments->elements.empty()) {
            refuse_weights("an instruction makes an object without a class");
        }
        const auto* callable = arguments->elements.front();
        arguments->elements.erase(arguments->elements.begin());
        m.call(callable, arguments);
    };
    table['b'] = [](PickleMachine& m) { m.build(); };
    table['Q'] = [](PickleMachine& m) {
        const auto* id = m.pop();
        m.push(Kind::persistent)->elements = {id};
    };
}

void add_stack(InstructionTable& table) {
    table['('] = [](PickleMachine& m) { m.mark(); };
    table['0'] = [](PickleMachine& m) { m.pop_or_unmark(); };
    table['1'] = [](PickleMachine& m) { m.pop_to_mark(); };
    table['2'] = [](PickleMachine& m) { m.push(m.top()); };
    table['q'] = [](PickleMachine& m) { m.put(m.reader.take_number<std::uint8_t>()); };
    table['r'] = [](PickleMachine& m) { m.put(m.reader.take_number<std::uint32_t>()); };
    table[0x94] = [](PickleMachine& m) { m.memoize(); };
    table['h'] = [](PickleMachine& m) { m.get(m.reader.take_number<std::uint8_t>()); };
    table['j'] = [](PickleMachine& m) { m.get(m.reader.take_number<std::uint32_t>()); };
    table[0x95] = [](PickleMachine& m) { m.reader.take_number<std::uint64_t>(); };  // length of a frame, a hint only
    table[0x80] = [](PickleMachine& m) {
        const unsigned protocol = m.reader.take_number<std::uint8_t>();
        if (protocol > kNewestProtocol) {
            refuse_weights("has protocol ", protocol, ", expected 2 to ", kNewestProtocol);
        }
    };
}

const InstructionTable& instructions() {
    static const InstructionTable table = [] {
        InstructionTable result{};
        add_constants(result);
        add_texts(result);
        add_containers(result);
        add_objects(result);
        add_stack(result);
        return result;
    }();
    return table;
}

Pickle PickleMachine::run() {
    constexpr std::uint8_t kStop = '.';
    for (std::size_t count = 0; count < kMostInstructions; ++count) {
        const auto code = reader.take_number<std::uint8_t>();
        if (code == kStop) {
            pickle_.root = pop();
            pickle_.size = reader.position();
            return std::move(pickle_);
        }
        const auto instruction = instructions().at(code);
        if (instruction == nullptr) {
            refuse_weights("has instruction ", static_cast<int>(code),
                           ", which pickles of protocol 2 to 5 do not hold");
        }
        instruction(*this);
    }
    refuse_weights("has more than ", kMostInstructions, " instructions, expected far fewer for a checkpoint");
}

}  // namespace

Pickle parse_pickle(std::string_view bytes) {
    PickleMachine machine(bytes);
    try {
        return machine.run();
    } catch (const Error& error) {
        throw error.within("the pickle is damaged at byte " + std::to_string(machine.reader.position()));
    }
}

std::string describe(const PickleValue& value) {
    constexpr std::array<const char*, 14> kWords{"None",   "a boolean", "a number",  "a number",      "a number",
                                                 "a text", "bytes",     "a tuple",   "a list",        "a set",
                                                 "a dict", "a class",   "an object", "a bare storage"};
    const auto* named = value.kind == Kind::object ? value.callable : &value;
    if (named->kind == Kind::global) {
        const auto path = std::string(named->text.substr(0, 80)) + "." + std::string(named->name.substr(0, 80));
        return (value.kind == Kind::object ? "an object of class " : "the class ") + in_quotes(path);
    }
    return kWords.at(static_cast<std::size_t>(value.kind));
}

}  // namespace voldiff
