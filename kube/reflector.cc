#include "kube/reflector.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stillpoint::kube {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

constexpr auto kLeastBackoff = 500ms;
constexpr auto kMostBackoff = 10'000ms;
constexpr auto kBarredRetry = 10'000ms;  // absent resource or missing right: a person acts slowly
constexpr auto kHealthyAfter = 1s;       // a watch that lived for this long was no failure
constexpr auto kOpenTimeout = 30'000ms;
constexpr auto kFirstList = 2'000ms;        // for an answer, while nothing at all is known
constexpr auto kLeastLifetime = 300'000ms;  // of a watch; spread, so that not all end together
constexpr int kMostLists = 5;               // in a row, because of our own writes meanwhile

bool IsBarred(api::Code code) {
  return code == api::Code::kForbidden || code == api::Code::kNotFound;
}

std::string ResourceName(const api::Resource& resource) {
  return resource.group.empty() ? std::string(resource.plural)
                                : fmt::format("{}.{}", resource.plural, resource.group);
}

std::string Reason(const api::Error& error, const char* verb, const api::Resource& resource) {
  if (error.code == api::Code::kForbidden) {
    return fmt::format("the right to {} it is missing ({})", verb, error.message);
  }
  if (error.code == api::Code::kNotFound) {
    return fmt::format("the API server has no {} in version {}: is its CRD installed? ({})",
                       resource.kind, resource.version, error.message);
  }
  return error.message;
}

std::string VersionOf(const json::object& object) {
  const auto* metadata = object.if_contains("metadata");
  const auto* version = metadata && metadata->is_object()
                            ? metadata->get_object().if_contains("resourceVersion")
                            : nullptr;
  return version && version->is_string() ? std::string(version->get_string()) : std::string();
}

}  // namespace

Reflector::Reflector(asio::any_io_executor executor, Client& client, Clock& clock, LogFn log,
                     api::Resource resource, Options options, ObjectStore& store)
    : client_(client),
      clock_(clock),
      log_(std::move(log)),
      resource_(resource),
      options_(std::move(options)),
      store_(store),
      random_(options_.seed),
      synced_(std::move(executor)) {}

asio::awaitable<void> Reflector::Run() {
  while (true) {
    const api::Error error = co_await Follow();
    co_await clock_.Sleep(NextDelay(error));
  }
}

asio::awaitable<void> Reflector::WaitSynced() {
  while (!Synced()) co_await synced_.Wait();
}

// A list where one is needed, then a watch until it ends.
asio::awaitable<api::Error> Reflector::Follow() {
  healthy_ = false;
  if (version_.empty()) {
    auto listed = co_await List();
    if (!listed) co_return Blame("list", listed.error());
  }
  co_return co_await Watch();
}

asio::awaitable<api::Result<void>> Reflector::List() {
  for (int attempt = 1;; ++attempt) {
    store_.BeginList();
    auto version = co_await ListPages();
    if (!version) co_return version.error();
    if (!store_.EndList(attempt >= kMostLists)) continue;
    version_ = std::move(*version);
    ++stats_.lists;
    ClearProblem();
    synced_.NotifyAll();
    co_return api::Result<void>();
  }
}

// Whoever waits for the first list may have a debt to pay that stands in it. So an answer that is
// lost costs them little; one that is only slow has the whole time at the second try.
asio::awaitable<api::Result<Answer>> Reflector::AskForPage(std::string token) {
  const bool first = !Synced() && token.empty();
  Request request{.verb = Verb::kList,
                  .resource = resource_,
                  .ns = options_.ns,
                  .label_selector = options_.label_selector,
                  .field_selector = options_.field_selector,
                  .limit = options_.page_size,
                  .continue_token = std::move(token)};
  if (first) co_return co_await AskAgain(client_, std::move(request), {kFirstList});
  co_return co_await client_.Do(std::move(request));
}

// Hands every item to the store; the version of the list.
asio::awaitable<api::Result<std::string>> Reflector::ListPages() {
  std::string token;
  while (true) {
    auto answer = co_await AskForPage(token);
    if (!answer) co_return answer.error();
    auto page = internal::ParseListPage(std::move(*answer));
    if (!page) co_return page.error();
    for (const auto& item : page->items) {
      if (item.is_object()) store_.AddListed(item.get_object());
    }
    token = std::move(page->continue_token);
    if (token.empty()) co_return std::move(page->resource_version);
  }
}

asio::awaitable<api::Error> Reflector::Watch() {
  const auto lifetime =
      std::chrono::floor<std::chrono::seconds>(random_.Jitter(kLeastLifetime, 0.5));
  auto stream = co_await WithTimeout(
      clock_, kOpenTimeout, fmt::format("the watch did not open within {} s", kOpenTimeout / 1s),
      client_.Watch({.resource = resource_,
                     .ns = options_.ns,
                     .label_selector = options_.label_selector,
                     .field_selector = options_.field_selector,
                     .resource_version = version_,
                     .lifetime = lifetime}));
  if (!stream) co_return Blame("watch", stream.error());
  ClearProblem();
  ++stats_.watches;
  const auto opened = clock_.SteadyNow();
  while (true) {
    auto event = co_await (*stream)->Next();
    healthy_ = clock_.SteadyNow() - opened >= kHealthyAfter;
    if (!event) {
      if (event.error().code == api::Code::kExpired) version_.clear();
      co_return event.error();
    }
    if (!Take(*event)) {
      version_.clear();
      co_return api::Error{api::Code::kExpired, "the watch repeats what was passed long ago"};
    }
  }
}

// False: only a new list can tell what is true.
bool Reflector::Take(const WatchEvent& event) {
  if (event.type != WatchEvent::Type::kBookmark) {
    ++stats_.events;
    if (!store_.Apply(event)) return false;
  }
  if (auto version = VersionOf(*event.object); !version.empty()) version_ = std::move(version);
  return true;
}

// Remembers and logs why it cannot go on. The same problem is news only once.
api::Error Reflector::Blame(const char* verb, const api::Error& error) {
  if (error.code == api::Code::kExpired) {
    version_.clear();
    return error;  // no problem: the next list mends it
  }
  const std::string where = options_.ns.empty() ? "" : fmt::format(" in namespace {}", options_.ns);
  const std::string sentence = fmt::format("cannot {} {}{}: {}", verb, ResourceName(resource_),
                                           where, Reason(error, verb, resource_));
  if (!problem_ || problem_->message != sentence) log_(Severity::kWarning, sentence);
  problem_ = api::Error{error.code, sentence, error.retry_after};
  return error;
}

void Reflector::ClearProblem() {
  if (!problem_) return;
  log_(Severity::kInfo, fmt::format("{} can be read again", ResourceName(resource_)));
  problem_.reset();
}

milliseconds Reflector::NextDelay(const api::Error& error) {
  if (error.code == api::Code::kExpired) ++stats_.expired;
  if (healthy_) {
    failures_ = 0;
    // The end of a long life is routine. A 410 is not: every informer may have got one.
    if (error.code == api::Code::kUnavailable) return 0ms;
  }
  ++stats_.failures;
  if (IsBarred(error.code)) return kBarredRetry;
  milliseconds delay = kLeastBackoff;
  for (int i = 0; i < failures_ && delay < kMostBackoff; ++i) delay *= 2;
  ++failures_;
  delay = std::min(random_.Jitter(delay, 0.5), kMostBackoff);
  return std::max<milliseconds>(delay, error.retry_after.value_or(0s));
}

}  // namespace stillpoint::kube
