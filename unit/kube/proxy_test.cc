#include "kube/proxy.h"

#include <gtest/gtest.h>

#include <map>

namespace stillpoint::kube {
namespace {

Environment With(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

struct Case {
  const char* no_proxy;
  const char* host;
  bool exempt;
  const char* port = "443";
};

// The table of golang.org/x/net/http/httpproxy, as far as it is about hosts.
TEST(NoProxyTest, ExemptsWhatItNames) {
  const Case cases[] = {
      {"", "example.com", false},
      {"example.com", "example.com", true},
      {"example.com", "www.example.com", true},
      {"example.com", "notexample.com", false},
      {"EXAMPLE.com", "Example.COM", true},
      {"example.com", "example.com.", true},
      {".example.com", "www.example.com", true},
      {".example.com", "example.com", false},
      {"*.example.com", "www.example.com", true},
      {"*.example.com", "example.com", false},
      {"other.com , example.com", "example.com", true},
      {"other.com,,", "example.com", false},
      {"*", "example.com", true},
      {"example.com:443", "example.com", true},
      {"example.com:6443", "example.com", false},
      {"example.com:6443", "example.com", true, "6443"},
      {"10.0.0.1", "10.0.0.1", true},
      {"10.0.0.1", "10.0.0.10", false},
      {"10.0.0.1:443", "10.0.0.1", true},
      {"10.0.0.1:80", "10.0.0.1", false},
      {"10.0.0.0/8", "10.1.2.3", true},
      {"10.0.0.0/8", "11.1.2.3", false},
      {"10.1.2.3/8", "10.9.9.9", true},
      {"10.0.0.0/8", "ten.example", false},
      {"fd00::/8", "fd12::1", true},
      {"fd00::/8", "fe80::1", false},
      {"fd00::1", "fd00::1", true},
      {"[fd00::1]", "fd00::1", true},
      {"[fd00::1]:443", "fd00::1", true},
      {"[fd00::1]:80", "fd00::1", false},
      {"10.0.0.0/99", "10.0.0.1", false},
      {"", "localhost", true},
      {"", "127.0.0.1", true},
      {"", "::1", true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(IsExempt(c.no_proxy, c.host, c.port), c.exempt)
        << c.no_proxy << " " << c.host << ":" << c.port;
  }
}

TEST(ProxyTest, UpperCaseVariableWins) {
  const auto environment =
      With({{"HTTPS_PROXY", "http://upper:1"}, {"https_proxy", "http://lower:1"}});
  EXPECT_EQ(ProxyFromEnvironment(environment, "example.com", "443"), "http://upper:1");
}

TEST(ProxyTest, LowerCaseVariableCounts) {
  const auto environment = With({{"https_proxy", "lower:1"}, {"no_proxy", "internal"}});
  EXPECT_EQ(ProxyFromEnvironment(environment, "example.com", "443"), "lower:1");
  EXPECT_EQ(ProxyFromEnvironment(environment, "kube.internal", "443"), "");
}

TEST(ProxyTest, NoVariableMeansNoProxy) {
  EXPECT_EQ(ProxyFromEnvironment(With({}), "example.com", "443"), "");
}

TEST(ProxyTest, ParsesUrlWithPassword) {
  const auto proxy = ParseProxyUrl("http://ann:secret@proxy.example:3128");
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->host, "proxy.example");
  EXPECT_EQ(proxy->port, "3128");
  EXPECT_EQ(proxy->authorization.Reveal(), "Basic YW5uOnNlY3JldA==");
}

TEST(ProxyTest, SchemeMayBeLeftOut) {
  const auto proxy = ParseProxyUrl("proxy.example:3128");
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->host, "proxy.example");
  EXPECT_TRUE(proxy->authorization.empty());
}

TEST(ProxyTest, RefusesOtherSchemes) {
  for (const char* url : {"https://proxy:3128", "socks5://proxy:1080"}) {
    const auto proxy = ParseProxyUrl(url);
    ASSERT_FALSE(proxy) << url;
    EXPECT_EQ(proxy.error().code, api::Code::kInvalid);
  }
}

}  // namespace
}  // namespace stillpoint::kube
