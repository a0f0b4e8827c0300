#include "hooks/output_tail.h"

#include <algorithm>

namespace stillpoint::hooks {
namespace {

// Raw bytes kept: escapes and control characters do not count in the text.
constexpr std::size_t kKept = 4 * OutputTail::kLongest;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned char Byte(char c) {
  return static_cast<unsigned char>(c);
}

bool IsContinuation(char c) {
  return (Byte(c) & 0xC0U) == 0x80U;
}

// Length of the valid UTF-8 sequence at the front of `text`; 0: there is none.
std::size_t SequenceLength(std::string_view text) {
  const unsigned lead = Byte(text[0]);
  const std::size_t length = lead < 0x80U                     ? 1U
                             : lead >= 0xC2U && lead <= 0xDFU ? 2U
                             : lead >= 0xE0U && lead <= 0xEFU ? 3U
                             : lead >= 0xF0U && lead <= 0xF4U ? 4U
                                                              : 0U;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  if (length < 3) return length;
  const unsigned second = Byte(text[1]);
  const bool overlong = (lead == 0xE0U && second < 0xA0U) || (lead == 0xF0U && second < 0x90U);
  const bool surrogate = lead == 0xEDU && second > 0x9FU;
  const bool too_high = lead == 0xF4U && second > 0x8FU;
  return overlong || surrogate || too_high ? 0 : length;
}

// Length of the terminal escape at the front: ESC [ ... letter, or ESC and one character.
std::size_t EscapeLength(std::string_view text) {
  if (text.size() < 2) return text.size();
  if (text[1] != '[') return 2;
  std::size_t end = 2;
  while (end < text.size() && Byte(text[end]) >= 0x20U && Byte(text[end]) < 0x40U) ++end;
  return std::min(end + 1, text.size());
}

// C1 controls, U+0080 to U+009F.
bool IsC1(std::string_view sequence) {
  return sequence.size() == 2 && Byte(sequence[0]) == 0xC2U && Byte(sequence[1]) < 0xA0U;
}

std::string Printable(std::string_view in) {
  std::string out;
  while (!in.empty()) {
    std::size_t length = 1;
    if (in[0] == '\x1b') {
      length = EscapeLength(in);
    } else if (in[0] == '\r') {
      if (!in.substr(1).starts_with('\n')) out += '\n';
    } else if (in[0] == '\n' || in[0] == '\t') {
      out += in[0];
    } else if (Byte(in[0]) >= 0x20U && in[0] != '\x7f') {
      length = SequenceLength(in);
      const std::string_view sequence = length == 0 ? kReplacement : in.substr(0, length);
      if (!IsC1(sequence)) out += sequence;
      length = std::max<std::size_t>(length, 1);
    }
    in.remove_prefix(length);
  }
  return out;
}

// A cut in front may have left the end of a sequence there.
std::string_view WithoutBrokenStart(std::string_view bytes) {
  for (int i = 0; i < 3 && !bytes.empty() && IsContinuation(bytes[0]); ++i) bytes.remove_prefix(1);
  return bytes;
}

}  // namespace

void OutputTail::Append(std::string_view data) {
  if (data.size() > kKept) {
    data.remove_prefix(data.size() - kKept);
    dropped_ = true;
  }
  bytes_ += data;
  if (bytes_.size() <= 2 * kKept) return;
  bytes_.erase(0, bytes_.size() - kKept);
  dropped_ = true;
}

std::string OutputTail::Text() const {
  std::string text = Printable(dropped_ ? WithoutBrokenStart(bytes_) : std::string_view(bytes_));
  if (text.size() <= kLongest) return text;
  std::string_view tail = std::string_view(text).substr(text.size() - kLongest);
  const bool at_line_start = text[text.size() - kLongest - 1] == '\n';
  const auto newline = tail.substr(0, kLongest / 2).find('\n');
  if (!at_line_start && newline != std::string_view::npos) tail.remove_prefix(newline + 1);
  return std::string(WithoutBrokenStart(tail));
}

bool OutputTail::truncated() const {
  return dropped_ || Printable(bytes_).size() > kLongest;
}

}  // namespace stillpoint::hooks
