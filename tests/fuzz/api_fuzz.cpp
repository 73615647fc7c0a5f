// SPDX-License-Identifier: Apache-2.0
// A connection's bytes through what session.cpp does with them: HTTP parser with its limits,
// target, route, handler, on a Toolstack over the fake hypervisor.
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <boost/beast/http.hpp>
#include <cstdint>
#include <filesystem>
#include <string>

#include "hypervisor-iface/fake/fake_hypervisor.hpp"
#include "libxl++/api/routes.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace {

namespace api = xl::api;
namespace http = boost::beast::http;

struct World {
  World() {
    spdlog::set_level(spdlog::level::off);
    std::string pattern = (std::filesystem::temp_directory_path() / "xl-api-fuzz-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
    xl::toolstack::Options options;
    options.hypervisor = []() -> xl::Result<std::unique_ptr<xl::hv::Hypervisor>> {
      return std::unique_ptr<xl::hv::Hypervisor>(std::make_unique<xl::hv::fake::FakeHypervisor>());
    };
    options.runtime_dir = directory;
    toolstack = xl::toolstack::Toolstack::create(std::move(options)).value();
    service.reset(new api::Service{*toolstack, api::DaemonFacts{"0", "/r", "/s", ""}});
  }
  ~World() {
    service.reset();
    toolstack.reset();
    std::filesystem::remove_all(directory);
  }

  std::string directory;
  std::unique_ptr<xl::toolstack::Toolstack> toolstack;
  std::unique_ptr<api::Service> service;
};

void need(bool condition) {
  if (!condition) {
    __builtin_trap();
  }
}

void dispatch(World& world, const http::request<http::string_body>& message) {
  const std::string method(message.method_string());
  const std::string target(message.target());
  xl::Result<api::Target> parsed = api::parse_target(target);
  if (!parsed) {
    return;
  }
  api::Request request;
  request.method = method;
  request.target = std::move(parsed).value();
  request.body = message.body();
  const auto found = api::find_route(request);
  const auto* route = std::get_if<const api::Route*>(&found);
  // Reading whatever file an input names would not be the same everywhere.
  if (route == nullptr || (*route)->handle == nullptr ||
      (*route)->pattern == "/v1/images/inspect") {
    return;
  }
  const api::Reply reply = api::answer(**route, *world.service, request);
  need(reply.status >= 200 && reply.status < 600);
  need(reply.status != 500 || reply.body.find("a bug in xld") == std::string::npos);
  need(reply.status != 204 || reply.body.empty());
  if (reply.created) {
    need(world.toolstack->destroy(*reply.created).has_value());
  }
  world.service->stopping = false;
  world.service->log_cleared = 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  http::request_parser<http::string_body> parser;
  parser.header_limit(16 * 1024);
  parser.body_limit(1024 * 1024);
  parser.eager(true);
  boost::system::error_code error;
  std::size_t used = 0;
  while (!error && !parser.is_done() && used < size) {
    const std::size_t more = parser.put(boost::asio::buffer(data + used, size - used), error);
    if (more == 0) {
      break;
    }
    used += more;
  }
  if (!error && parser.is_done()) {
    dispatch(world, parser.get());
  }
  return 0;
}
