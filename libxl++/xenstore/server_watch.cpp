// SPDX-License-Identifier: Apache-2.0
// A watch of the toolstack's own: a tool's, without its socket.
#include <array>
#include <span>
#include <string>
#include <utility>

#include "libxl++/xenstore/server.hpp"
#include "libxl++/xenstore/wire.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {
namespace {

class ServerWatch final : public NodeWatch {
 public:
  ServerWatch(Server& server, std::string_view path, std::function<void()> changed)
      : client_(server.connect(std::move(changed))) {
    using namespace std::string_literals;
    const std::string request = encode(XS_WATCH, 0, 0, std::string(path) + "\0watch\0"s);
    client_->receive(std::as_bytes(std::span(request)));
    ServerWatch::drain();
  }

  void drain() override {
    std::array<std::byte, 4096> room;
    while (client_->send(room) > 0) {
    }
  }

 private:
  std::unique_ptr<Client> client_;
};

}  // namespace

std::unique_ptr<NodeWatch> Server::watch(std::string_view path, std::function<void()> changed) {
  return std::make_unique<ServerWatch>(*this, path, std::move(changed));
}

}  // namespace xl::xenstore
