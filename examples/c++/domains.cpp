// SPDX-License-Identifier: Apache-2.0
// libxl++ from another program: reads a config as `xl create` would and says what is wrong with it,
// then lists the domains of the running xld beside it.
//     c++ -std=c++20 domains.cpp $(pkg-config --cflags --libs xl++) -o domains
//     ./domains guest.cfg
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "libxl++/api/client.hpp"
#include "libxl++/config/parse.hpp"

namespace {

// 0: the config is good; 1: it is not, and the text said why.
int check(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file) {
    std::cerr << "cannot read '" << path << "'\n";
    return 1;
  }
  const auto parsed = xl::config::parse_domain_config({path, text});
  std::cerr << xl::config::render(parsed.diagnostics);  // warnings too, with line and caret
  if (!parsed.config) {
    return 1;
  }
  std::cout << "config: " << parsed.config->name << ", " << parsed.config->vcpus << " vcpus, "
            << parsed.config->memory.count() / (1024 * 1024) << " MiB\n";
  return 0;
}

xl::api::Answer<void> list() {
  XL_TRY_ASSIGN(const auto dir, xl::api::RuntimeDir::from_environment());
  XL_TRY_ASSIGN(auto client, xl::api::Client::connect(dir));  // starts xld if need be
  XL_TRY_ASSIGN(const auto domains, client.list());
  for (const auto& domain : domains) {
    std::cout << "domain " << domain.domid << ": " << domain.name << ", "
              << domain.memory_kib / 1024 << " MiB\n";
  }
  return {};
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    std::cerr << "usage: domains CONFIG\n";
    return 2;
  }
  if (const int status = check(words[1]); status != 0) {
    return status;
  }
  if (const auto listed = list(); !listed) {
    std::cerr << xl::describe(listed.error().error) << '\n';
    return 1;
  }
  return 0;
}
