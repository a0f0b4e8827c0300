// JSON as the API sends it, read by pointer (RFC 6901). What is absent reads as empty: a test that
// needs the difference asks Has().
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::contract {

using Json = boost::json::value;

// Throws std::runtime_error: the text is a test's own.
[[nodiscard]] Json Parse(std::string_view text);
[[nodiscard]] std::string ToText(const Json& value);

[[nodiscard]] bool Has(const Json& value, std::string_view pointer);
[[nodiscard]] std::string Text(const Json& value, std::string_view pointer);
[[nodiscard]] std::int64_t Number(const Json& value, std::string_view pointer);
[[nodiscard]] bool Flag(const Json& value, std::string_view pointer);
[[nodiscard]] std::vector<Json> Elements(const Json& value, std::string_view pointer);
[[nodiscard]] std::vector<std::string> Texts(const Json& value, std::string_view pointer);

// An array of texts. A braced list of one text would be taken for the text itself.
[[nodiscard]] boost::json::array List(const std::vector<std::string>& texts);

// Of an object's metadata.
[[nodiscard]] std::string NameOf(const Json& object);
[[nodiscard]] std::string UidOf(const Json& object);
[[nodiscard]] std::string VersionOf(const Json& object);
[[nodiscard]] std::int64_t GenerationOf(const Json& object);

// status.conditions by type: its status, for example "True"; empty when there is none.
[[nodiscard]] std::string ConditionOf(const Json& object, std::string_view type);

}  // namespace stillpoint::contract
