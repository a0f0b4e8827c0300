// HttpApi: HTTP requests of Kubernetes clients, answered from the model. No sockets here: what
// goes on after the answer's head (watches, exec, logs) is handed out for the server to carry.
//
// Contract: https://kubernetes.io/docs/reference/using-api/api-concepts/
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "kube/client.h"
#include "sim/cluster/api_server.h"
#include "sim/pocket/request_path.h"
#include "sim/pocket/watch_feed.h"

#include <boost/json/value.hpp>

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace stillpoint::sim::pocket {

struct HttpRequest {
  std::string method;
  std::string target;  // path and query, percent-encoded
  std::string accept;
  std::string content_type;
  std::string body;
};

struct HttpReply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::string> warnings;
};

// pods/exec, to be upgraded to a websocket.
struct ExecCall {
  std::string ns;
  std::string pod;
  std::string container;  // empty: the default one
  std::vector<std::string> argv;
  bool input = false;
  bool tty = false;
};

struct LogCall {
  std::string ns;
  std::string pod;
  std::string container;  // empty: the default one
  bool follow = false;
  std::optional<std::size_t> tail_lines;
};

using HttpOutcome = std::variant<HttpReply, WatchFeed, ExecCall, LogCall>;

// How strictly a write is checked for fields that the schema does not have.
enum class FieldCheck { kIgnore, kWarn, kStrict };

// The names of fields in `body` that its kind does not know, as "spec.retries".
[[nodiscard]] std::vector<std::string> FindUnknownFields(const ServedKind& kind,
                                                         const boost::json::value& body);

// Threads: one. Lifetime: the server must outlive it and its feeds.
class HttpApi {
 public:
  HttpApi(ApiServer& server, std::function<api::Time()> now)
      : server_(server), now_(std::move(now)) {}

  [[nodiscard]] HttpOutcome Handle(const HttpRequest& request);

 private:
  struct Call {
    const HttpRequest& http;
    RequestPath path;
    Query query;
  };

  [[nodiscard]] HttpOutcome Serve(const Call& call);
  [[nodiscard]] HttpReply Read(const Call& call);
  [[nodiscard]] HttpReply ReadList(const Call& call);
  [[nodiscard]] HttpOutcome OpenWatch(const Call& call);
  [[nodiscard]] HttpReply Create(const Call& call);
  [[nodiscard]] HttpReply Update(const Call& call);
  [[nodiscard]] HttpReply Patch(const Call& call);
  [[nodiscard]] HttpReply StrategicPatch(const Call& call, const boost::json::value& patch);
  [[nodiscard]] HttpReply Delete(const Call& call);
  [[nodiscard]] HttpReply DeleteAll(const Call& call);
  [[nodiscard]] HttpReply Scale(const Call& call);

  [[nodiscard]] HttpReply Checked(const Call& call, const boost::json::value& body,
                                  const std::function<HttpReply()>& write) const;
  [[nodiscard]] HttpReply Put(const Call& call, boost::json::value object);
  [[nodiscard]] kube::Request RequestOf(const Call& call, kube::Verb verb) const;
  [[nodiscard]] HttpReply Written(const Call& call, const api::Result<kube::Answer>& result,
                                  int status) const;
  [[nodiscard]] HttpReply Shown(const Call& call, boost::json::object object, int status) const;

  ApiServer& server_;
  const std::function<api::Time()> now_;
};

}  // namespace stillpoint::sim::pocket
