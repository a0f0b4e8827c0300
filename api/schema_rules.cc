#include "api/schema_rules.h"

#include "api/duration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace stillpoint::api {
namespace {

constexpr std::string_view kSubdomain =
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
constexpr std::string_view kLabel = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
constexpr std::string_view kDuration = "^([0-9]{1,9}(w|d|h|m|s|ms))+$";

// CEL that is true when `self` matches. No pattern here holds a quote or a backslash.
std::string Match(std::string_view pattern) {
  return fmt::format("self.matches('{}')", pattern);
}

// One unit of a duration in milliseconds, 0 when it does not stand there. A leading 0 makes a
// number of the empty text that `find` gives then.
std::string UnitInCel(std::string_view pattern, std::int64_t milliseconds) {
  return fmt::format("int('0' + self.find('{}').find('[0-9]+')) * {}", pattern, milliseconds);
}

// A duration in milliseconds. Minutes must not be taken for the beginning of `ms`.
std::string DurationInCel() {
  return fmt::format("({} + {} + {} + {} + {} + {})", UnitInCel("[0-9]+w", 604'800'000),
                     UnitInCel("[0-9]+d", 86'400'000), UnitInCel("[0-9]+h", 3'600'000),
                     UnitInCel("[0-9]+m([0-9]|$)", 60'000), UnitInCel("[0-9]+s", 1000),
                     UnitInCel("[0-9]+ms", 1));
}

std::int64_t Milliseconds(std::string_view text) {
  return ParseDuration(text).value().count();
}

std::string HowManyOf(const std::vector<std::string>& keys) {
  std::vector<std::string> terms;
  for (const auto& key : keys) terms.push_back(fmt::format("(has(self.{}) ? 1 : 0)", key));
  return fmt::format("{}", fmt::join(terms, " + "));
}

}  // namespace

TextSchema ObjectName() {
  return {.max_length = 253,
          .rules = {{Match(kSubdomain),
                     "is not the name of an object: lower-case letters, digits, - and . only, with "
                     "a letter or digit at both ends"}}};
}

TextSchema ShortName() {
  return {.max_length = 63,
          .rules = {{Match(kLabel),
                     "is not a name: lower-case letters, digits and - only, with a letter or digit "
                     "at both ends"}}};
}

TextSchema DurationBetween(std::string_view least, std::string_view most) {
  const std::string once =
      "self.findAll('[a-z]+').all(u, self.findAll('[a-z]+').exists_one(v, v == u))";
  const std::string length = DurationInCel();
  return {.max_length = 32,
          .rules = {{fmt::format("{} && {}", Match(kDuration), once),
                     "is not a duration, for example 90s or 1d6h30m"},
                    {fmt::format("!{} || ({} >= {} && {} <= {})", Match(kDuration), length,
                                 Milliseconds(least), length, Milliseconds(most)),
                     fmt::format("is not between {} and {}", least, most)}}};
}

TextSchema ApplicationRef() {
  constexpr std::string_view kApps =
      "(?i:deployments?|deploy|statefulsets?|sts|daemonsets?|ds|replicasets?|rs)(?i:[.](v1[.])?"
      "apps)?";
  return {.max_length = 300,
          .rules = {{Match(fmt::format("^(({}|(?i:pods?|po))/)?{}", kApps, kSubdomain.substr(1))),
                     "is not an application: write the name of a Deployment, or "
                     "deployment/NAME, statefulset/NAME, daemonset/NAME, replicaset/NAME or "
                     "pod/NAME"}}};
}

// Above 2^63 - 1 the API server takes every quantity for that number.
TextSchema Size() {
  return {.max_length = 32,
          .rules = {{"isQuantity(self) && quantity(self).isGreaterThan(quantity('0')) && "
                     "quantity(self).isLessThan(quantity('9223372036854775807'))",
                     "is not a size, for example 10Gi or 500M"}}};
}

TextSchema ShellCommand() {
  return {.max_length = 8192, .rules = {{"size(self) > 0", "is empty: write a command"}}};
}

FieldSchema Argv(std::string_view member, std::string doc) {
  return {.member = member,
          .doc = std::move(doc),
          .text = {.max_length = 4096},
          .max_items = 64,
          .rules = {{"size(self) > 0 && size(self[0]) > 0",
                     "has no program: the first element names what to run"}}};
}

std::string ExactlyOneOf(const std::vector<std::string>& keys) {
  return HowManyOf(keys) + " == 1";
}

std::string AtMostOneOf(const std::vector<std::string>& keys) {
  return HowManyOf(keys) + " <= 1";
}

}  // namespace stillpoint::api
