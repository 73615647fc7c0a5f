// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/node_watch.hpp"

#include <array>
#include <span>
#include <string>
#include <utility>

#include "libxl++/xenstore/wire.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::toolstack {

NodeWatch::NodeWatch(xenstore::Server& store, std::string_view path, std::function<void()> changed)
    : client_(store.connect(std::move(changed))) {
  using namespace std::string_literals;
  const std::string request = xenstore::encode(XS_WATCH, 0, 0, std::string(path) + "\0watch\0"s);
  client_->receive(std::as_bytes(std::span(request)));
  drain();
}

void NodeWatch::drain() {
  std::array<std::byte, 4096> room;
  while (client_->send(room) > 0) {
  }
}

}  // namespace xl::toolstack
