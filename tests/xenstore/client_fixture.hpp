// SPDX-License-Identifier: Apache-2.0
// A store with connections that speak the protocol, whole messages at a time.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libxl++/xenstore/connection.hpp"
#include "libxl++/xenstore/store.hpp"
#include "libxl++/xenstore/wire.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore::fixture {

struct Message {
  Header header;
  std::string payload;
};

// "a", "b" become "a\0b\0".
inline std::string strings(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) {
    text += part;
    text += '\0';
  }
  return text;
}

class TestClient {
 public:
  TestClient(Store& store, std::uint16_t domain)
      : connection(store, Caller{DomId(domain), std::nullopt}, [this] { ++wakeups; }) {}

  // Sends, and returns the reply's payload, or the error's name. Events that come first are kept.
  std::string ask(std::uint32_t type, std::string_view payload, std::uint32_t transaction = 0) {
    const std::string message = encode(type, ++request_, transaction, payload);
    EXPECT_EQ(connection.receive(std::as_bytes(std::span(message))), message.size());
    fetch();
    for (auto at = inbox_.begin(); at != inbox_.end(); ++at) {
      if (at->header.type != XS_WATCH_EVENT) {
        EXPECT_EQ(at->header.request, request_);
        std::string reply = std::move(at->payload);
        inbox_.erase(at);
        return reply;
      }
    }
    ADD_FAILURE() << "no reply";
    return {};
  }
  std::string ask(std::uint32_t type, std::initializer_list<std::string_view> parts,
                  std::uint32_t transaction = 0) {
    return ask(type, strings(parts), transaction);
  }
  std::string write(std::string_view path, std::string_view value, std::uint32_t transaction = 0) {
    return ask(XS_WRITE, strings({path}) + std::string(value), transaction);
  }
  std::string read(std::string_view path, std::uint32_t transaction = 0) {
    return ask(XS_READ, {path}, transaction);
  }
  std::uint32_t start() {
    return static_cast<std::uint32_t>(std::stoul(ask(XS_TRANSACTION_START, {""})));
  }
  std::string end(std::uint32_t transaction, std::string_view verdict = "T") {
    return ask(XS_TRANSACTION_END, {verdict}, transaction);
  }
  // Paths of the events since the last call, in order.
  std::vector<std::string> events() {
    fetch();
    std::vector<std::string> paths;
    for (const Message& message : inbox_) {
      EXPECT_EQ(message.header.type, std::uint32_t{XS_WATCH_EVENT});
      paths.push_back(message.payload.substr(0, message.payload.find('\0')));
    }
    inbox_.clear();
    return paths;
  }

  Connection connection;
  unsigned wakeups = 0;

 private:
  void fetch() {
    std::vector<std::byte> room(64 << 10);
    while (const std::size_t count = connection.send(room)) {
      bytes_.append(reinterpret_cast<const char*>(room.data()), count);
    }
    while (bytes_.size() >= header_size) {
      const Header header = parse_header(std::as_bytes(std::span(bytes_)).first<header_size>());
      inbox_.push_back({header, bytes_.substr(header_size, header.length)});
      bytes_.erase(0, header_size + header.length);
    }
    EXPECT_TRUE(bytes_.empty());
  }

  std::uint32_t request_ = 0;
  std::string bytes_;
  std::deque<Message> inbox_;
};

inline const std::string ok = strings({"OK"});

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    // As the toolstack sets a guest up.
    zero.write("/local/domain/1/data", "");
    zero.ask(XS_SET_PERMS, {"/local/domain/1", "n0", "r1"});
    zero.ask(XS_SET_PERMS, {"/local/domain/1/data", "n1"});
  }
  Store store;
  TestClient zero{store, 0};
  TestClient guest{store, 1};
  TestClient other{store, 2};
};

}  // namespace xl::xenstore::fixture
