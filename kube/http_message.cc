#include "kube/http_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace stillpoint::kube {

std::string Serialize(const HttpRequest& request, std::string_view host,
                      std::string_view user_agent, const Sensitive& bearer_token) {
  std::string text =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: application/json\r\n",
                  request.method, request.target, host, user_agent);
  auto out = std::back_inserter(text);
  if (!bearer_token.empty())
    fmt::format_to(out, "Authorization: Bearer {}\r\n", bearer_token.Reveal());
  if (!request.content_type.empty()) {
    fmt::format_to(out, "Content-Type: {}\r\nContent-Length: {}\r\n", request.content_type,
                   request.body.size());
  }
  text += "\r\n";
  text += request.body;
  return text;
}

std::string SerializeConnect(std::string_view host, const Sensitive& authorization) {
  std::string text = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", host);
  if (!authorization.empty()) {
    fmt::format_to(std::back_inserter(text), "Proxy-Authorization: {}\r\n", authorization.Reveal());
  }
  text += "\r\n";
  return text;
}

bool IsHeaderValue(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

}  // namespace stillpoint::kube
