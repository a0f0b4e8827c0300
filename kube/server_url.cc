#include "kube/server_url.h"

#include <boost/asio/ip/address.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace stillpoint::kube {

namespace {

api::Error Invalid(std::string message) {
  return {api::Code::kInvalid, std::move(message)};
}

std::string PercentDecode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      decoded += static_cast<char>(value);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string DefaultPort(std::string_view scheme) {
  if (scheme == "https") return "443";
  if (scheme == "http") return "80";
  return "";
}

bool IsPort(std::string_view text) {
  unsigned port = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  return parsed.ec == std::errc() && parsed.ptr == end && port >= 1 && port <= 65535;
}

// Splits "host:port", "[::1]:port" or either without a port.
api::Result<void> SplitAuthority(std::string_view authority, ServerUrl& url) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return Invalid("the URL's host lacks a closing ']'");
    url.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!port.empty() && !port.starts_with(':')) return Invalid("the URL's port is not a number");
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (!port.empty()) url.port = port.substr(1);
  if (url.host.empty()) return Invalid("the URL has no host");
  if (!url.port.empty() && !IsPort(url.port)) {
    return Invalid("the URL's port is not a number from 1 to 65535");
  }
  return {};
}

}  // namespace

api::Result<ServerUrl> ParseServerUrl(std::string_view url) {
  ServerUrl parsed;
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) {
    return Invalid("the URL has no scheme: write https://host:port");
  }
  // A control character or a space would end up in a request line.
  if (std::ranges::any_of(url, [](char c) { return c <= ' ' || c == '\x7f'; })) {
    return Invalid("the URL holds white space or a control character");
  }
  parsed.scheme = LowerCase(url.substr(0, scheme_end));
  std::string_view rest = url.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find_first_of("?#"));
  const std::size_t path = std::min(rest.find('/'), rest.size());
  parsed.path = rest.substr(path);
  while (parsed.path.ends_with('/')) parsed.path.pop_back();

  std::string_view authority = rest.substr(0, path);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    parsed.user_info = Sensitive(PercentDecode(authority.substr(0, at)));
    authority.remove_prefix(at + 1);
  }
  if (auto split = SplitAuthority(authority, parsed); !split) return split.error();
  if (parsed.port.empty()) parsed.port = DefaultPort(parsed.scheme);
  return parsed;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

bool IsLoopback(std::string_view host) {
  boost::system::error_code failure;
  const auto address = boost::asio::ip::make_address(std::string(host), failure);
  return failure ? LowerCase(host) == "localhost" : address.is_loopback();
}

std::string HostPort(std::string_view host, std::string_view port) {
  const bool brackets = host.find(':') != std::string_view::npos;
  return brackets ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace stillpoint::kube
