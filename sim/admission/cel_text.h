// Texts by characters (code points), as CEL counts them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stillpoint::sim::cel {

// How many bytes the first character takes; 0 for an empty text. A byte that begins no character
// stands for itself.
[[nodiscard]] std::size_t CharacterSize(std::string_view text);

[[nodiscard]] std::size_t CountCharacters(std::string_view text);

// Where the character `index` begins; the end of the text counts too. Empty: beyond.
[[nodiscard]] std::optional<std::size_t> OffsetOf(std::string_view text, std::int64_t index);

}  // namespace stillpoint::sim::cel
