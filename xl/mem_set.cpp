// SPDX-License-Identifier: Apache-2.0
// xl mem-set: asks a domain's balloon driver. xl mem-max: the hypervisor's cap.
#include <charconv>
#include <chrono>
#include <thread>

#include "xl/command.hpp"
#include "xl/memory_size.hpp"
#include "xl/message.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"
#include "xl/progress.hpp"

namespace xl::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds default_patience{60};
constexpr std::chrono::milliseconds look_interval{20};
// A driver may stop a few pages from its target.
constexpr std::uint64_t near_kib = 1024;

bool is_reached(const api::MemoryView& view) {
  const std::uint64_t apart = view.current_kib > view.target_kib
                                  ? view.current_kib - view.target_kib
                                  : view.target_kib - view.current_kib;
  return apart <= near_kib;
}

Outcome<std::chrono::seconds> parse_patience(const char* text) {
  if (text == nullptr) {
    return default_patience;
  }
  const std::string_view word(text);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) {
    return wrong_usage("'" + std::string(word) + "' is no number of seconds");
  }
  return std::chrono::seconds(value);
}

// As `xl list` shows it: without the few special pages.
std::string whole_mib(std::uint64_t kib) {
  return memory_text(kib / 1024 * 1024);
}

Failure not_reached(const std::string& domain, const api::MemoryView& view) {
  std::string text = "'" + domain + "' has " + whole_mib(view.current_kib) + ", not " +
                     memory_text(view.target_kib) + ": ";
  text += view.has_driver
              ? "its balloon driver went no further (too little free memory in the guest?)"
              : "nothing in the guest watches memory/target; load its balloon driver (Linux: "
                "CONFIG_XEN_BALLOON)";
  return {Exit::failure, std::move(text)};
}

// What the domain has then.
Outcome<std::uint64_t> wait_for_target(api::Client& client, const std::string& domain,
                                       std::chrono::seconds patience) {
  const Progress progress("waiting for the balloon driver of '" + domain + "'");
  const auto end = Clock::now() + patience;
  for (;;) {
    XL_TRY_ASSIGN(const api::MemoryView view, client.memory(domain));
    if (is_reached(view)) {
      return view.current_kib;
    }
    if (Clock::now() >= end) {
      return Unexpected(not_reached(domain, view));
    }
    std::this_thread::sleep_for(look_interval);
  }
}

}  // namespace

Outcome<void> run_mem_set(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options,
                Options::parse(arguments, "wt:", {{"wait", 'w'}, {"timeout", 't', true}}));
  XL_TRY(options.need_words(2, 2));
  XL_TRY_ASSIGN(const std::uint64_t target, parse_memory_kib(options.words()[1]));
  XL_TRY_ASSIGN(const std::chrono::seconds patience, parse_patience(options.value('t')));
  const std::string& domain = options.words()[0];
  XL_TRY_ASSIGN(api::Client client, connect());
  api::MemoryRequest request;
  request.target_kib = target;
  XL_TRY_ASSIGN(const api::MemoryView view, client.set_memory(domain, request));
  if (options.has('w') || options.has('t')) {
    XL_TRY_ASSIGN(const std::uint64_t kib, wait_for_target(client, domain, patience));
    print(whole_mib(kib) + "\n");
    return {};
  }
  if (!view.has_driver && !is_reached(view)) {
    print_warning("nothing in '" + domain +
                  "' watches memory/target yet: its memory changes when its balloon driver does");
  }
  return {};
}

Outcome<void> run_mem_max(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
  XL_TRY(options.need_words(2, 2));
  api::MemoryRequest request;
  XL_TRY_ASSIGN(request.max_kib, parse_memory_kib(options.words()[1]));
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY(client.set_memory(options.words()[0], request));
  return {};
}

}  // namespace xl::cli
