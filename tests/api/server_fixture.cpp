// SPDX-License-Identifier: Apache-2.0
#include "tests/api/server_fixture.hpp"

#include <sys/socket.h>

#include "libxl++/api/unix_socket.hpp"

namespace xl::api::fixture {

void ServerTest::serve(ServerLimits limits) {
  ASSERT_TRUE(dir_->make());
  Result<UniqueFd> listener = listen_unix(dir_->socket());
  ASSERT_TRUE(listener);
  auto server = Server::create(toolstack(), std::move(listener).value(),
                               {"1.2.3", dir_->path(), dir_->socket(), ""}, limits);
  ASSERT_TRUE(server);
  server_ = std::move(server).value();
  thread_ = std::thread([this] { server_->run(); });
}

void ServerTest::stop() {
  if (thread_.joinable()) {
    server_->stop();
    thread_.join();
  }
}

Client ServerTest::client() {
  Result<Client> connected = Client::connect_running(*dir_);
  EXPECT_TRUE(connected);
  return std::move(connected).value();
}

UniqueFd ServerTest::raw() const {
  Result<UniqueFd> connected = connect_unix(dir_->socket());
  EXPECT_TRUE(connected);
  return std::move(connected).value();
}

std::string ServerTest::text_of_config(const std::string& name) const {
  return "name='" + name + "'\nkernel='" + config().kernel + "'\nmemory=8\n";
}

CreateRequest ServerTest::request(const std::string& name) const {
  CreateRequest asked;
  asked.config_name = name + ".cfg";
  asked.config_text = text_of_config(name);
  asked.working_directory = directory();
  return asked;
}

std::string read_until(int fd, const std::string& text, std::string got) {
  char bytes[4096];
  while (text.empty() || got.find(text) == std::string::npos) {
    const ssize_t size = ::recv(fd, bytes, sizeof bytes, 0);
    if (size <= 0) {
      break;
    }
    got.append(bytes, static_cast<std::size_t>(size));
  }
  return got;
}

std::string read_to_end(int fd) {
  return read_until(fd, {});
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) {
      return;  // the peer has heard enough
    }
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

}  // namespace xl::api::fixture
