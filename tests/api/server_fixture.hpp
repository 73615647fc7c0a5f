// SPDX-License-Identifier: Apache-2.0
// The server on a real socket, over the real Toolstack on the fake hypervisor, with the real
// client.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "libxl++/api/client.hpp"
#include "libxl++/api/server.hpp"
#include "tests/toolstack/toolstack_fixture.hpp"

namespace xl::api::fixture {

class ServerTest : public toolstack::fixture::ToolstackTest {
 protected:
  ServerTest() { dir_ = std::make_unique<RuntimeDir>(directory() + "/api"); }
  ~ServerTest() override { stop(); }

  void serve(ServerLimits limits = {});
  void stop();

  Client client();
  // A bare connection, for what the client would never send.
  UniqueFd raw() const;
  CreateRequest request(const std::string& name) const;
  // Creates by the API, and expects that to work.
  CreatedView make(Client& with, const std::string& name) {
    auto created = with.create(request(name));
    EXPECT_TRUE(created) << created.error().error.message;
    return created ? *created : CreatedView{};
  }
  std::string text_of_config(const std::string& name) const;

  std::unique_ptr<RuntimeDir> dir_;
  std::unique_ptr<Server> server_;

 private:
  std::thread thread_;
};

// Until the peer closes.
std::string read_to_end(int fd);
// Until `text` has been seen, behind `got`; what was read so far if the peer closes.
std::string read_until(int fd, const std::string& text, std::string got = {});
void write_all(int fd, std::string_view bytes);

}  // namespace xl::api::fixture
