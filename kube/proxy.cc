#include "kube/proxy.h"

#include "kube/base64.h"
#include "kube/server_url.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace stillpoint::kube {

namespace {

namespace ip = boost::asio::ip;
using boost::system::error_code;

std::string Variable(const Environment& environment, const std::string& upper,
                     const std::string& lower) {
  if (auto value = environment(upper); value && !value->empty()) return *value;
  return environment(lower).value_or("");
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool InNetwork(const std::string& network, const ip::address& address) {
  error_code failure;
  if (address.is_v4()) {
    const auto range = ip::make_network_v4(network, failure);
    return !failure &&
           range.canonical() == ip::network_v4(address.to_v4(), range.prefix_length()).canonical();
  }
  const auto range = ip::make_network_v6(network, failure);
  return !failure &&
         range.canonical() == ip::network_v6(address.to_v6(), range.prefix_length()).canonical();
}

// Takes ":port" off the end of `entry` and returns the port, empty if there is none. A bare IPv6
// address has colons but no port.
std::string_view TakePort(std::string_view& entry) {
  const std::size_t colon = entry.rfind(':');
  if (colon == std::string_view::npos) return {};
  const bool bracketed = entry.starts_with('[');
  if (bracketed ? entry[colon - 1] != ']' : entry.find(':') != colon) return {};
  const std::string_view port = entry.substr(colon + 1);
  entry = entry.substr(0, colon);
  return port;
}

bool MatchesAddress(std::string_view entry, const ip::address& address) {
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  error_code failure;
  const auto exempt = ip::make_address(std::string(entry), failure);
  return !failure && exempt == address;
}

// "example.com" exempts itself and what is below it; ".example.com" and "*.example.com" only what
// is below.
bool MatchesName(std::string_view entry, std::string_view host) {
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  if (entry.starts_with('.')) return host.size() > entry.size() && host.ends_with(entry);
  return host == entry || host.ends_with(fmt::format(".{}", entry));
}

bool Matches(std::string_view entry, const std::string& host, std::string_view port) {
  if (entry.empty()) return false;
  if (entry == "*") return true;
  error_code not_an_address;
  const auto address = ip::make_address(host, not_an_address);
  if (entry.find('/') != std::string_view::npos) {
    return !not_an_address && InNetwork(std::string(entry), address);
  }
  const std::string_view only_port = TakePort(entry);
  if (!only_port.empty() && only_port != port) return false;
  return not_an_address ? MatchesName(entry, host) : MatchesAddress(entry, address);
}

}  // namespace

api::Result<ServerUrl> ParseProxyServer(std::string_view url) {
  const bool has_scheme = url.find("://") != std::string_view::npos;
  auto parsed = ParseServerUrl(has_scheme ? std::string(url) : fmt::format("http://{}", url));
  if (parsed && parsed->scheme != "http") {
    return api::Error{
        api::Code::kInvalid,
        fmt::format("a proxy of scheme \"{}\" is not supported: use http://", parsed->scheme)};
  }
  return parsed;
}

api::Result<Proxy> ParseProxyUrl(std::string_view url) {
  auto parsed = ParseProxyServer(url);
  if (!parsed) return parsed.error();
  Proxy proxy{.host = parsed->host, .port = parsed->port};
  if (!parsed->user_info.empty()) {
    std::string credentials = parsed->user_info.Reveal();
    if (credentials.find(':') == std::string::npos) credentials += ':';
    proxy.authorization = Sensitive("Basic " + EncodeBase64(credentials));
  }
  return proxy;
}

std::string ProxyFromEnvironment(const Environment& environment, std::string_view host,
                                 std::string_view port) {
  const std::string url = Variable(environment, "HTTPS_PROXY", "https_proxy");
  if (url.empty()) return "";
  return IsExempt(Variable(environment, "NO_PROXY", "no_proxy"), host, port) ? "" : url;
}

bool IsExempt(std::string_view no_proxy, std::string_view host, std::string_view port) {
  if (IsLoopback(host)) return true;
  std::string name = LowerCase(host);
  if (name.ends_with('.')) name.pop_back();
  while (!no_proxy.empty()) {
    const std::size_t comma = std::min(no_proxy.find(','), no_proxy.size());
    if (Matches(LowerCase(Trim(no_proxy.substr(0, comma))), name, port)) return true;
    no_proxy.remove_prefix(std::min(comma + 1, no_proxy.size()));
  }
  return false;
}

}  // namespace stillpoint::kube
