// Arbitrary bytes into everything in api/ that reads text. The first byte says what they are meant
// to be, the rest is the text. Whatever is accepted must be written so that it is read as the same.
#include "api/apps.h"
#include "api/codec.h"
#include "api/core.h"
#include "api/duration.h"
#include "api/labels.h"
#include "api/quantity.h"
#include "api/snapshot.h"
#include "api/time.h"
#include "api/volume_backup.h"
#include "api/volume_restore.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace stillpoint::api {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

template <class T>
void TryObject(std::string_view text) {
  const auto object = DecodeText<T>(text);
  if (!object) {
    Require(object.error().code == Code::kInvalid && !object.error().message.empty());
    return;
  }
  const auto again = DecodeText<T>(EncodeText(*object));
  Require(again.has_value() && *again == *object);
}

void TrySelector(std::string_view text) {
  const auto selector = DecodeText<LabelSelector>(text);
  if (!selector || !CheckSelector(*selector)) return;
  Require(!FormatSelector(*selector).contains('\n'));
  Require(Matches(*selector, {{"app", "db"}}) == Matches(*selector, {{"app", "db"}}));
}

void TryDuration(std::string_view text) {
  const auto duration = ParseDuration(text);
  if (!duration) return;
  Require(*duration >= Duration::zero());
  Require(ParseDuration(FormatDuration(*duration)).value() == *duration);
}

void TryTime(std::string_view text) {
  const auto time = ParseTime(text);
  if (!time) return;
  Require(ParseTime(FormatTime(*time)).value() == *time);
  Require(ParseTime(FormatMicroTime({*time})).value() == *time);
}

void TryQuantity(std::string_view text) {
  const auto quantity = Quantity::Parse(text);
  if (!quantity) return;
  Require(quantity->bytes() >= 0 && quantity->text() == text);
}

void Try(char kind, std::string_view text) {
  switch (kind) {
    case 'b':
      return TryObject<VolumeBackup>(text);
    case 'r':
      return TryObject<VolumeRestore>(text);
    case 'p':
      return TryObject<Pod>(text);
    case 'c':
      return TryObject<PersistentVolumeClaim>(text);
    case 's':
      return TryObject<StatefulSet>(text);
    case 'v':
      return TryObject<VolumeSnapshotContent>(text);
    case 'l':
      return TrySelector(text);
    case 'd':
      return TryDuration(text);
    case 't':
      return TryTime(text);
    case 'q':
      return TryQuantity(text);
    default:
      return;
  }
}

}  // namespace
}  // namespace stillpoint::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  stillpoint::api::Try(input.front(), input.substr(1));
  return 0;
}
