// SPDX-License-Identifier: Apache-2.0
// xl vcpu-list and xl vcpu-pin.
#include <charconv>

#include "xl/command.hpp"
#include "xl/format/scheduling.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

constexpr char json_letter = 'j';

Outcome<std::optional<std::uint32_t>> parse_vcpu(const std::string& text) {
  if (text == "all") {
    return std::optional<std::uint32_t>();
  }
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end) {
    return wrong_usage("'" + text + "' is not a vcpu: give its number, or 'all'");
  }
  return std::optional(number);
}

}  // namespace

Outcome<void> run_vcpu_list(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "", {{"json", json_letter}}));
  XL_TRY_ASSIGN(api::Client client, connect());
  std::vector<api::VcpuView> rows;
  if (options.words().empty()) {
    XL_TRY_ASSIGN(rows, client.vcpus(std::nullopt));
  }
  for (const std::string& domain : options.words()) {
    XL_TRY_ASSIGN(const std::vector<api::VcpuView> more, client.vcpus(domain));
    rows.insert(rows.end(), more.begin(), more.end());
  }
  print(options.has(json_letter) ? vcpu_json(rows) : vcpu_table(rows));
  return {};
}

Outcome<void> run_vcpu_pin(const Arguments& arguments) {
  // There are no affinities that somebody else holds for a while: -f has nothing to override.
  XL_TRY_ASSIGN(
      const Options options,
      Options::parse(arguments, "f", {{"force", 'f'}, {"ignore-global-affinity-masks", 'i'}}));
  XL_TRY(options.need_words(3, 4));
  const std::vector<std::string>& words = options.words();
  api::PinRequest request;
  XL_TRY_ASSIGN(request.vcpu, parse_vcpu(words[1]));
  request.hard = words[2];
  request.ignore_host_masks = options.has('i');
  if (words.size() == 4) {
    request.soft = words[3];
  }
  XL_TRY_ASSIGN(api::Client client, connect());
  if (arguments.dry_run) {
    XL_TRY(check_target(client, words[0]));
    XL_TRY_ASSIGN(const std::string cpumap, client.parse_cpumap(words[2], request.soft));
    print("cpumap: " + cpumap + "\n");
    return {};
  }
  XL_TRY(client.pin(words[0], request));
  return {};
}

}  // namespace xl::cli
