// SPDX-License-Identifier: Apache-2.0
// xl sched-credit2: weights and caps.
#include <charconv>

#include "xl/command.hpp"
#include "xl/format/host.hpp"
#include "xl/format/scheduling.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

constexpr char json_letter = 'j';

Outcome<std::optional<std::uint32_t>> number_of(const Options& options, char letter,
                                                const char* what) {
  const char* const text = options.value(letter);
  if (text == nullptr) {
    return std::optional<std::uint32_t>();
  }
  const std::string_view word(text);
  std::uint32_t number = 0;
  const auto [at, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || at != word.data() + word.size()) {
    return wrong_usage("'" + std::string(word) + "' is not a " + what);
  }
  return std::optional(number);
}

Outcome<void> check_pool(const Options& options) {
  const char* const pool = options.value('p');
  if (pool != nullptr && std::string_view(pool) != only_pool && std::string_view(pool) != "0") {
    return Unexpected(Failure(
        Exit::not_found, ErrorId::not_found,
        "there is no CPU pool '" + std::string(pool) + "': all CPUs are in one, " + only_pool));
  }
  return {};
}

Outcome<void> print_shares(api::Client& client, const Options& options) {
  const char* const domain = options.value('d');
  XL_TRY_ASSIGN(const std::vector<api::ShareView> rows,
                client.scheduling(domain == nullptr ? std::nullopt
                                                    : std::optional<std::string_view>(domain)));
  if (options.has(json_letter)) {
    print(share_json(rows));
    return {};
  }
  // How long a vcpu that runs is left alone when another wakes up, in Xen's words.
  if (domain == nullptr) {
    print(std::string("Cpupool ") + only_pool + ": ratelimit=1000us\n");
  }
  print(share_table(rows));
  return {};
}

}  // namespace

Outcome<void> run_sched_credit2(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "d:w:c:p:sr:",
                                                      {{"domain", 'd', true},
                                                       {"weight", 'w', true},
                                                       {"cap", 'c', true},
                                                       {"cpupool", 'p', true},
                                                       {"schedparam", 's'},
                                                       {"ratelimit_us", 'r', true},
                                                       {"json", json_letter}}));
  XL_TRY(options.need_words(0, 0));
  XL_TRY_ASSIGN(const std::optional<std::uint32_t> weight, number_of(options, 'w', "weight"));
  XL_TRY_ASSIGN(const std::optional<std::uint32_t> cap, number_of(options, 'c', "cap"));
  const char* const domain = options.value('d');
  XL_TRY(
      options.refuse('r', "the rate limit is 1000 us and cannot be set; share the CPUs with -w"));
  if ((weight || cap) && domain == nullptr) {
    return wrong_usage("a weight or a cap is a domain's: name it with -d");
  }
  if (options.has('s') && domain != nullptr) {
    return wrong_usage("-s is about the scheduler, -d about a domain: give one of them");
  }
  XL_TRY(check_pool(options));
  XL_TRY_ASSIGN(api::Client client, connect());
  if (weight || cap) {
    XL_TRY(client.set_scheduling(domain, weight, cap));
    return {};
  }
  if (options.has('s')) {
    print(std::string("Cpupool ") + only_pool + ": ratelimit=1000us\n");
    return {};
  }
  return print_shares(client, options);
}

}  // namespace xl::cli
