#include "kube/server_url.h"

#include <gtest/gtest.h>

namespace stillpoint::kube {
namespace {

struct Case {
  const char* url;
  const char* scheme;
  const char* host;
  const char* port;
  const char* path;
  const char* user_info = "";
};

TEST(ServerUrlTest, TakesUrlsApart) {
  const Case cases[] = {
      {"https://kube.example:6443", "https", "kube.example", "6443", ""},
      {"https://kube.example", "https", "kube.example", "443", ""},
      {"HTTPS://kube.example/", "https", "kube.example", "443", ""},
      {"http://127.0.0.1:8001/k8s/c-1/", "http", "127.0.0.1", "8001", "/k8s/c-1"},
      {"https://[fd00::1]:6443/x", "https", "fd00::1", "6443", "/x"},
      {"https://[fd00::1]", "https", "fd00::1", "443", ""},
      {"http://ann:p%40ss@proxy:3128", "http", "proxy", "3128", "", "ann:p@ss"},
      {"https://host/path?query#part", "https", "host", "443", "/path"},
  };
  for (const Case& c : cases) {
    const auto url = ParseServerUrl(c.url);
    ASSERT_TRUE(url) << c.url << ": " << url.error().message;
    EXPECT_EQ(url->scheme, c.scheme) << c.url;
    EXPECT_EQ(url->host, c.host) << c.url;
    EXPECT_EQ(url->port, c.port) << c.url;
    EXPECT_EQ(url->path, c.path) << c.url;
    EXPECT_EQ(url->user_info.Reveal(), c.user_info) << c.url;
  }
}

TEST(ServerUrlTest, RefusesWhatIsNoUrl) {
  for (const char* url : {"", "kube.example:6443", "https://", "https://:443", "https://h:0",
                          "https://h:65536", "https://h:x", "https://[::1", "https://[::1]x",
                          "https://h /x", "https://h\r\nX-Evil: 1"}) {
    const auto parsed = ParseServerUrl(url);
    ASSERT_FALSE(parsed) << url;
    EXPECT_EQ(parsed.error().code, api::Code::kInvalid) << url;
  }
}

TEST(ServerUrlTest, ErrorDoesNotRepeatThePassword) {
  const auto parsed = ParseServerUrl("http://ann:secret@host:port");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message, "the URL's port is not a number from 1 to 65535");
}

TEST(ServerUrlTest, KnowsLoopback) {
  for (const char* host : {"localhost", "LocalHost", "127.0.0.1", "127.9.9.9", "::1"}) {
    EXPECT_TRUE(IsLoopback(host)) << host;
  }
  for (const char* host : {"localhost.example", "10.0.0.1", "::2", ""}) {
    EXPECT_FALSE(IsLoopback(host)) << host;
  }
}

TEST(ServerUrlTest, WritesHostAndPort) {
  EXPECT_EQ(HostPort("kube.example", "6443"), "kube.example:6443");
  EXPECT_EQ(HostPort("::1", "6443"), "[::1]:6443");
}

}  // namespace
}  // namespace stillpoint::kube
