// Properties that hold for any value, tried on many: a text that was written is read as what it
// was, and what was read once is written the same ever after.
#include "api/codec.h"
#include "api/duration.h"
#include "api/quantity.h"
#include "api/time.h"
#include "api/volume_backup.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace stillpoint::api {
namespace {

// Gives up with the smallest value that breaks `property`.
template <class Property>
void Hold(const char* what, Property&& property) {
  EXPECT_TRUE(rc::check(what, std::forward<Property>(property)));
}

// Any length, short ones as often as long ones.
rc::Gen<Duration> AnyDuration() {
  return rc::gen::apply([](std::int64_t count, int shift) { return Duration(count >> shift); },
                        rc::gen::inRange<std::int64_t>(0, std::numeric_limits<std::int64_t>::max()),
                        rc::gen::inRange(0, 63));
}

// From the year 0 to the year 9999, in microseconds.
rc::Gen<Time> AnyTime() {
  const auto day = [](int year, unsigned month, unsigned d) {
    return Time(std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) /
                                      static_cast<int>(d)))
        .time_since_epoch()
        .count();
  };
  return rc::gen::map(rc::gen::inRange<std::int64_t>(day(0, 1, 1), day(9999, 12, 31)),
                      [](std::int64_t count) { return Time(Time::duration(count)); });
}

// What a grammar is made of, in any order: nearer to its edges than arbitrary bytes are.
rc::Gen<std::string> TextOf(const std::string& characters) {
  return rc::gen::container<std::string>(rc::gen::elementOf(characters));
}

TEST(Properties, ADurationIsReadAsWritten) {
  Hold("duration", [] {
    const Duration duration = *AnyDuration();
    RC_ASSERT(ParseDuration(FormatDuration(duration)).value() == duration);
  });
}

TEST(Properties, ATextThatIsADurationHasOneCanonicalForm) {
  Hold("duration text", [] {
    const auto first = ParseDuration(*TextOf("0123456789wdhms"));
    if (!first) return;
    const std::string canonical = FormatDuration(*first);
    RC_ASSERT(ParseDuration(canonical).value() == *first);
    RC_ASSERT(canonical.size() <= 64U);
  });
}

TEST(Properties, ATimeIsReadAsWritten) {
  Hold("time", [] {
    const Time time = *AnyTime();
    RC_ASSERT(ParseTime(FormatTime(time)).value() == time);
    RC_ASSERT(ParseTime(FormatMicroTime({time})).value() == time);
  });
}

TEST(Properties, AQuantityOfBytesIsReadAsWritten) {
  Hold("quantity", [] {
    const auto bytes = *rc::gen::positive<std::int64_t>();
    RC_ASSERT(Quantity::Parse(Quantity::FromBytes(bytes).text()).value().bytes() == bytes);
  });
}

TEST(Properties, AQuantityIsNeverNegativeAndKeepsItsText) {
  Hold("quantity text", [] {
    const std::string text = *TextOf("0123456789.+-eEKMGTPimnuk");
    const auto quantity = Quantity::Parse(text);
    if (!quantity) return;
    RC_ASSERT(quantity->bytes() >= 0);
    RC_ASSERT(quantity->text() == text);
  });
}

rc::Gen<HookSpec> AnyHook() {
  using Strings = std::vector<std::string>;
  return rc::gen::build<HookSpec>(
      rc::gen::set(&HookSpec::name),
      rc::gen::set(&HookSpec::command, rc::gen::arbitrary<Strings>()),
      rc::gen::set(&HookSpec::shell),
      rc::gen::set(&HookSpec::timeout, rc::gen::map(rc::gen::maybe(AnyDuration()),
                                                    [](const rc::Maybe<Duration>& length) {
                                                      return length ? std::optional(*length)
                                                                    : std::nullopt;
                                                    })),
      rc::gen::set(&HookSpec::on_error, rc::gen::element(OnError::kFail, OnError::kContinue)));
}

TEST(Properties, ABackupIsReadAsWritten) {
  Hold("backup", [] {
    VolumeBackup backup;
    backup.metadata.name = *rc::gen::arbitrary<std::string>();
    backup.metadata.labels =
        *rc::gen::resize(8, rc::gen::arbitrary<std::map<std::string, std::string>>());
    backup.metadata.generation = *rc::gen::arbitrary<std::int64_t>();
    backup.spec.hooks = *rc::gen::resize(8, rc::gen::container<std::vector<HookSpec>>(AnyHook()));
    backup.spec.max_freeze = *AnyDuration();
    backup.status.start_time = *AnyTime();
    RC_ASSERT(Decode<VolumeBackup>(Encode(backup)).value() == backup);
  });
}

}  // namespace
}  // namespace stillpoint::api
