// ObjectsTest: the model's API server, asked without a transport.
#pragma once

#include "sim/cluster/api_server.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <string>

namespace stillpoint::sim {

inline constexpr api::Resource kThings{"example.com", "v1", "Thing", "things"};

class ObjectsTest : public testing::Test {
 protected:
  static kube::Request Ask(kube::Verb verb, const std::string& body = "null",
                           const api::Resource& resource = kThings) {
    kube::Request request;
    request.verb = verb;
    request.resource = resource;
    request.ns = "shop";
    request.name = "a";
    request.body = boost::json::parse(body);
    return request;
  }

  std::string Apply(const std::string& body, const std::string& manager, bool force = false) {
    kube::Request request = Ask(kube::Verb::kApply, body);
    request.force = force;
    return Word(server_.Answer(request, manager));
  }

  static std::string Word(const api::Result<kube::Answer>& result) {
    return result ? "ok" : api::ToString(result.error().code);
  }

  boost::json::value Put(const api::Resource& resource, const std::string& body) {
    return *server_.objects().Put(resource, boost::json::parse(body).as_object());
  }

  [[nodiscard]] boost::json::value Thing() const {
    return *server_.objects().Peek(kThings, {"shop", "a"});
  }

  ApiServer server_{
      [] { return api::Time(std::chrono::sys_days(std::chrono::January / 1 / 2026)); }};
};

}  // namespace stillpoint::sim
