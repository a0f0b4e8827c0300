#include "kube/http_client.h"

#include "kube/http_call.h"
#include "kube/http_watch.h"
#include "kube/request_url.h"

#include <boost/asio/awaitable.hpp>

#include <utility>

namespace stillpoint::kube {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kOpenWatchTimeout{15};

class HttpClient final : public Client {
 public:
  HttpClient(asio::any_io_executor executor, Config config, Clock& clock, LogFn log,
             HttpClientOptions options)
      : shared_(std::move(executor), std::move(config), clock, std::move(log), std::move(options)) {
  }

  asio::awaitable<api::Result<Answer>> Do(Request request) override {
    auto http_request = BuildHttpRequest(request, shared_.config.base_path);
    if (!http_request) co_return http_request.error();
    HttpCall call(shared_, NameOf(request), request.verb, std::move(*http_request));
    auto answer = co_await call.Fetch(request.timeout);
    if (!answer) co_return answer.error();
    if (answer->is_null()) co_return std::make_shared<const boost::json::object>();
    if (!answer->is_object()) {
      co_return api::Error{api::Code::kUnknown, "the server's answer is no object"};
    }
    co_return std::make_shared<const boost::json::object>(std::move(answer->get_object()));
  }

  asio::awaitable<api::Result<std::unique_ptr<WatchStream>>> Watch(WatchRequest request) override {
    auto http_request = BuildHttpRequest(request, shared_.config.base_path);
    if (!http_request) co_return http_request.error();
    HttpCall call(shared_, NameOf(request), Verb::kGet, std::move(*http_request));
    auto connection = co_await call.OpenStream(kOpenWatchTimeout);
    if (!connection) co_return connection.error();
    co_return std::make_unique<HttpWatch>(shared_.clock, NameOf(request), std::move(*connection),
                                          request.lifetime);
  }

 private:
  HttpShared shared_;
};

}  // namespace

std::unique_ptr<Client> MakeHttpClient(asio::any_io_executor executor, Config config, Clock& clock,
                                       LogFn log, HttpClientOptions options) {
  if (config.insecure_skip_tls_verify && log) {
    log(Severity::kWarning, "the API server's certificate is not verified, as asked for");
  }
  return std::make_unique<HttpClient>(std::move(executor), std::move(config), clock, std::move(log),
                                      std::move(options));
}

}  // namespace stillpoint::kube
