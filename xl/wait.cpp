// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdlib>

#include "xl/options.hpp"
#include "xl/progress.hpp"
#include "xl/waiter.hpp"

namespace xl::cli {
namespace {

Outcome<std::chrono::steady_clock::duration> seconds_of(const char* text) {
  char* end = nullptr;
  const double seconds = std::strtod(text, &end);
  if (end == text || *end != '\0' || !std::isfinite(seconds) || seconds < 0 || seconds > 1e9) {
    return wrong_usage("'" + std::string(text) + "' is not a number of seconds");
  }
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(seconds));
}

Outcome<void> take_condition(const std::string& text, WaitPlan& plan) {
  static constexpr std::string_view console = "console=";
  plan.wording = text;
  if (text.starts_with(console)) {
    plan.what = WaitFor::console;
    XL_TRY_ASSIGN(plan.console, ConsoleMatcher::create(text.substr(console.size())));
  } else if (text == "running") {
    plan.what = WaitFor::running;
  } else if (text == "booted") {
    plan.what = WaitFor::booted;
  } else if (text == "shutdown") {
    plan.what = WaitFor::shutdown;
  } else {
    return wrong_usage("'" + text + "' is none of running, booted, shutdown, console=REGEX");
  }
  return {};
}

}  // namespace

Outcome<void> run_wait(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options,
                Options::parse(arguments, "t:", {{"for", 'f', true}, {"timeout", 't', true}}));
  XL_TRY(options.need_words(1, 1));
  const char* condition = options.value('f');
  if (condition == nullptr) {
    return wrong_usage("--for=running|booted|shutdown|console=REGEX is missing");
  }
  WaitPlan plan;
  plan.domain = options.words()[0];
  XL_TRY(take_condition(condition, plan));
  if (const char* timeout = options.value('t')) {
    XL_TRY_ASSIGN(const auto time, seconds_of(timeout));
    plan.deadline = std::chrono::steady_clock::now() + time;
  }
  const Progress progress("waiting for '" + plan.domain + "': " + plan.wording);
  return Waiter(std::move(plan)).run();
}

}  // namespace xl::cli
