#include "e2e/support/stalling_proxy.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <system_error>
#include <vector>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;

sockaddr_in AddressOf(const std::string& address, int port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, address.c_str(), &result.sin_addr);
  return result;
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] int fd() const { return fd_; }

 private:
  const int fd_;
};

struct Pair {
  std::array<std::unique_ptr<Socket>, 2> ends;
};

// One piece of what is there. False: this direction has ended.
bool Copy(int from, int to) {
  std::array<char, 65536> buffer{};
  const ssize_t size = recv(from, buffer.data(), buffer.size(), 0);
  for (ssize_t done = 0; done < size;) {
    const ssize_t sent =
        send(to, buffer.data() + done, static_cast<std::size_t>(size - done), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    done += sent;
  }
  return size > 0;
}

std::unique_ptr<Pair> Accept(int listener, const sockaddr_in& to) {
  auto pair = std::make_unique<Pair>();
  pair->ends[0] = std::make_unique<Socket>(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  pair->ends[1] = std::make_unique<Socket>(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* address = reinterpret_cast<const sockaddr*>(&to);
  if (connect(pair->ends[1]->fd(), address, sizeof(to)) != 0) return nullptr;
  return pair;
}

}  // namespace

StallingProxy::StallingProxy(const std::string& address, int port)
    : address_(address), to_port_(port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in own = AddressOf("127.0.0.1", 0);
  socklen_t size = sizeof(own);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&own), size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&own), &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "a proxy's port");
  }
  port_ = ntohs(own.sin_port);
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

StallingProxy::~StallingProxy() {
  thread_.request_stop();
  thread_.join();
  close(listener_);
}

void StallingProxy::Run(const std::stop_token& stop) {
  std::vector<std::unique_ptr<Pair>> pairs;
  while (!stop.stop_requested()) {
    if (stalled_) {
      std::this_thread::sleep_for(10ms);
      continue;
    }
    std::vector<pollfd> polls{{listener_, POLLIN, 0}};
    for (const auto& pair : pairs) {
      for (const auto& end : pair->ends) polls.push_back({end->fd(), POLLIN, 0});
    }
    if (poll(polls.data(), polls.size(), 10) <= 0 || stalled_) continue;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      bool open = true;
      for (std::size_t end = 0; end < 2 && open; ++end) {
        if (polls[1 + 2 * i + end].revents == 0) continue;
        open = Copy(pairs[i]->ends[end]->fd(), pairs[i]->ends[1 - end]->fd());
      }
      if (!open) pairs[i].reset();
    }
    std::erase(pairs, nullptr);
    if (polls[0].revents == 0) continue;
    if (auto pair = Accept(listener_, AddressOf(address_, to_port_))) {
      pairs.push_back(std::move(pair));
    }
  }
}

}  // namespace stillpoint::e2e
