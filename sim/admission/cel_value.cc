#include "sim/admission/cel_value.h"

#include "api/time.h"
#include "sim/admission/schema.h"

#include <algorithm>
#include <type_traits>

namespace stillpoint::sim::cel {
namespace {

namespace json = boost::json;

constexpr Failure kBadInstant{"invalid data, this is no instant"};

Value TextFrom(std::string_view text, const Schema* schema) {
  if (schema && schema->format == SchemaFormat::kDateTime) {
    // The server's schema takes a small t and z, its CEL does not.
    const auto time = api::ParseTime(text);
    return time && text.find_first_of("tz") == text.npos ? Value(*time) : Value(kBadInstant);
  }
  return text;
}

Value NumberFrom(const json::value& json, const Schema* schema) {
  if (schema && schema->type == SchemaType::kNumber) return json.to_number<double>();
  if (const auto* number = json.if_int64()) return *number;
  if (const auto* number = json.if_uint64()) return *number;
  return json.get_double();
}

const Schema* ItemSchema(const JsonList& list) {
  return list.schema ? list.schema->items.get() : nullptr;
}

const Schema* MemberSchema(const JsonMap& map, std::string_view name) {
  std::size_t hint = 0;
  return map.schema ? map.schema->ForMember(name, hint) : nullptr;
}

// What CEL calls a field whose name it cannot write: `__namespace__`, `a__dash__b`.
std::string Unescape(std::string_view name) {
  if (name.size() > 4 && name.starts_with("__") && name.ends_with("__")) {
    return std::string(name.substr(2, name.size() - 4));
  }
  static constexpr std::pair<std::string_view, std::string_view> kEscapes[] = {
      {"__underscores__", "__"}, {"__dot__", "."}, {"__dash__", "-"}, {"__slash__", "/"}};
  std::string out;
  while (!name.empty()) {
    const auto* const escape = std::ranges::find_if(
        kEscapes, [name](const auto& known) { return name.starts_with(known.first); });
    if (escape == std::end(kEscapes)) {
      out += name.front();
      name.remove_prefix(1);
    } else {
      out += escape->second;
      name.remove_prefix(escape->first.size());
    }
  }
  return out;
}

// ---- equality ---------------------------------------------------------------------------------

bool HaveEqualItems(const Value& a, const Value& b) {
  for (std::size_t i = 0; i < SizeOf(a); ++i) {
    if (!Equal(ItemOf(a, i), ItemOf(b, i))) return false;
  }
  return true;
}

bool Contains(const Value& list, const Value& wanted) {
  for (std::size_t i = 0; i < SizeOf(list); ++i) {
    if (Equal(ItemOf(list, i), wanted)) return true;
  }
  return false;
}

// Whether every item of `b` is in `a`. The elements of a list map have different keys, so that one
// which is equal is also the one with the same key.
bool ContainsAll(const Value& a, const Value& b) {
  for (std::size_t i = 0; i < SizeOf(b); ++i) {
    if (!Contains(a, ItemOf(b, i))) return false;
  }
  return true;
}

bool IsUnordered(const Value& list) {
  const auto* json = list.If<JsonList>();
  return json && json->schema && json->schema->list_type != SchemaListType::kAtomic;
}

bool ListsEqual(const Value& a, const Value& b) {
  if (SizeOf(a) != SizeOf(b)) return false;
  return IsUnordered(a) ? ContainsAll(a, b) : HaveEqualItems(a, b);
}

bool MapsEqual(const Value& a, const Value& b) {
  if (SizeOf(a) != SizeOf(b)) return false;
  return std::ranges::all_of(KeysOf(a), [&](const Value& key) {
    const auto theirs = Find(b, key);
    return theirs && Equal(*Find(a, key), *theirs);
  });
}

// ---- numbers ----------------------------------------------------------------------------------

std::partial_ordering CompareIntegers(std::int64_t a, std::uint64_t b) {
  if (a < 0) return std::partial_ordering::less;
  return static_cast<std::uint64_t>(a) <=> b;
}

// An integer against a double, without making a double of a large one.
template <class Integer>
std::partial_ordering CompareToDouble(Integer a, double b) {
  if (b != b) return std::partial_ordering::unordered;
  constexpr double kTwoTo63 = 9223372036854775808.0;
  constexpr double kEnd = std::is_signed_v<Integer> ? kTwoTo63 : 2 * kTwoTo63;
  constexpr double kBegin = std::is_signed_v<Integer> ? -kTwoTo63 : 0;
  if (b >= kEnd) return std::partial_ordering::less;
  if (b < kBegin) return std::partial_ordering::greater;
  const auto whole = static_cast<Integer>(b);
  if (a != whole) return a <=> whole;
  return 0.0 <=> (b - static_cast<double>(whole));
}

std::partial_ordering Reverse(std::partial_ordering order) {
  return 0 <=> order;
}

struct NumberComparison {
  template <class A, class B>
  std::optional<std::partial_ordering> operator()(A a, B b) const {
    constexpr bool kNumbers = std::is_arithmetic_v<A> && std::is_arithmetic_v<B> &&
                              !std::is_same_v<A, bool> && !std::is_same_v<B, bool>;
    if constexpr (!kNumbers) {
      return std::nullopt;
    } else if constexpr (std::is_same_v<A, B>) {
      return a <=> b;
    } else if constexpr (std::is_same_v<B, double>) {
      return CompareToDouble(a, b);
    } else if constexpr (std::is_same_v<A, double>) {
      return Reverse(CompareToDouble(b, a));
    } else if constexpr (std::is_signed_v<A>) {
      return CompareIntegers(a, b);
    } else {
      return Reverse(CompareIntegers(b, a));
    }
  }
};

template <class T>
std::optional<std::partial_ordering> CompareAs(const Value& a, const Value& b) {
  const T* const left = a.If<T>();
  const T* const right = b.If<T>();
  if (!left || !right) return std::nullopt;
  return *left <=> *right;
}

bool OptionalsEqual(const Optional& a, const Optional& b) {
  if (!a.value || !b.value) return a.value == b.value;
  return Equal(*a.value, *b.value);
}

}  // namespace

bool Value::IsNumber() const {
  return If<std::int64_t>() || If<std::uint64_t>() || If<double>();
}

Value FromJson(const json::value& json, const Schema* schema) {
  switch (json.kind()) {
    case json::kind::null:
      return Null{};
    case json::kind::bool_:
      return json.get_bool();
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return NumberFrom(json, schema);
    case json::kind::string:
      return TextFrom(json.get_string(), schema);
    case json::kind::array:
      return JsonList{&json.get_array(), schema};
    case json::kind::object:
      return JsonMap{&json.get_object(), schema};
  }
  return Null{};
}

// ---- lists and maps ---------------------------------------------------------------------------

std::size_t SizeOf(const Value& list_or_map) {
  if (const auto* list = list_or_map.If<JsonList>()) return list->array->size();
  if (const auto* list = list_or_map.If<List>()) return list->items->size();
  if (const auto* map = list_or_map.If<JsonMap>()) return map->object->size();
  if (const auto* map = list_or_map.If<Map>()) return map->entries->size();
  return 0;
}

Value ItemOf(const Value& list, std::size_t index) {
  if (const auto* json = list.If<JsonList>()) {
    return FromJson((*json->array)[index], ItemSchema(*json));
  }
  return (*list.If<List>()->items)[index];
}

std::optional<Value> Find(const Value& map, const Value& key) {
  if (const auto* json = map.If<JsonMap>()) {
    const auto* name = key.If<std::string_view>();
    const auto* found = name ? json->object->if_contains(*name) : nullptr;
    if (!found) return std::nullopt;
    return FromJson(*found, MemberSchema(*json, *name));
  }
  for (const auto& [known, value] : *map.If<Map>()->entries) {
    if (Equal(known, key)) return value;
  }
  return std::nullopt;
}

std::optional<Value> FindField(const Value& map, std::string_view name) {
  if (auto found = Find(map, name); found || !name.contains("__")) return found;
  return Find(map, std::string_view(Unescape(name)));
}

std::vector<Value> KeysOf(const Value& map) {
  std::vector<Value> keys;
  if (const auto* json = map.If<JsonMap>()) {
    for (const auto& member : *json->object) keys.emplace_back(std::string_view(member.key()));
  } else if (const auto* made = map.If<Map>()) {
    for (const auto& entry : *made->entries) keys.push_back(entry.first);
  }
  return keys;
}

bool IsSet(const Value& list) {
  const auto* json = list.If<JsonList>();
  return json && json->schema && json->schema->list_type == SchemaListType::kSet;
}

// ---- order ------------------------------------------------------------------------------------

bool Equal(const Value& a, const Value& b) {
  if (const auto order = Compare(a, b)) return *order == 0;
  if (a.IsList() && b.IsList()) return ListsEqual(a, b);
  if (a.IsMap() && b.IsMap()) return MapsEqual(a, b);
  if (a.If<Null>()) return b.If<Null>() != nullptr;
  const auto* const left = a.If<const api::Quantity*>();
  const auto* const right = b.If<const api::Quantity*>();
  if (left && right) return **left == **right;
  if (a.If<Optional>() && b.If<Optional>()) {
    return OptionalsEqual(*a.If<Optional>(), *b.If<Optional>());
  }
  return false;
}

std::optional<std::partial_ordering> Compare(const Value& a, const Value& b) {
  if (const auto order = CompareAs<std::string_view>(a, b)) return order;
  if (a.IsNumber() && b.IsNumber()) return std::visit(NumberComparison{}, a.data(), b.data());
  if (const auto order = CompareAs<bool>(a, b)) return order;
  if (const auto order = CompareAs<std::chrono::nanoseconds>(a, b)) return order;
  return CompareAs<api::Time>(a, b);
}

}  // namespace stillpoint::sim::cel
