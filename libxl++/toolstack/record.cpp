// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/record.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "libxl++/config/json.hpp"

namespace xl::toolstack {
namespace {

using nlohmann::json;

constexpr std::uint64_t version = 1;
constexpr std::array phases = {RecordPhase::building, RecordPhase::running, RecordPhase::restarting,
                               RecordPhase::dying};

json line_json(const GuestLine& line) {
  return {{"frame", line.frame.value()}, {"port", line.port.value()}};
}

// Takes members by type; the first that is missing or wrong is the error.
class Reader {
 public:
  explicit Reader(const json& object) : object_(object) {}

  std::uint64_t number(const char* name, std::uint64_t most) {
    const json& value = member(name);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
      complain(name);
      return 0;
    }
    return value.get<std::uint64_t>();
  }
  bool boolean(const char* name) {
    const json& value = member(name);
    return value.is_boolean() ? value.get<bool>() : (complain(name), false);
  }
  std::string text(const char* name) {
    const json& value = member(name);
    return value.is_string() ? value.get<std::string>() : (complain(name), std::string());
  }
  template <typename Clock>
  std::chrono::time_point<Clock> time(const char* name) {
    const std::uint64_t ns = number(name, std::numeric_limits<std::int64_t>::max());
    return std::chrono::time_point<Clock>(std::chrono::duration_cast<typename Clock::duration>(
        std::chrono::nanoseconds(static_cast<std::int64_t>(ns))));
  }
  GuestLine line(const char* name) {
    Reader reader(member(name));
    GuestLine line;
    line.frame = Gfn(reader.number("frame", std::uint64_t{1} << 36));
    line.port = EventPort(static_cast<std::uint32_t>(
        reader.number("port", std::numeric_limits<std::uint32_t>::max())));
    if (!reader.wrong_.empty()) {
      complain(name);
    }
    return line;
  }
  const json& member(const char* name) {
    static const json nothing;
    const auto found = object_.is_object() ? object_.find(name) : object_.end();
    return object_.is_object() && found != object_.end() ? *found : nothing;
  }
  void complain(const char* name) {
    if (wrong_.empty()) {
      wrong_ = name;
    }
  }
  Result<void> check() const {
    return wrong_.empty()
               ? Result<void>()
               : fail(ErrorCode::invalid_argument, "'" + wrong_ + "' is missing or wrong");
  }

 private:
  const json& object_;
  std::string wrong_;
};

template <typename TimePoint>
std::int64_t nanoseconds(TimePoint time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

Result<Record> record_of(const json& object) {
  Reader reader(object);
  if (reader.number("version", std::numeric_limits<std::uint64_t>::max()) != version) {
    return fail(ErrorCode::invalid_argument, "not a record of version " + std::to_string(version));
  }
  Record record;
  const std::string phase = reader.text("phase");
  const auto* known = std::find_if(phases.begin(), phases.end(), [&](RecordPhase candidate) {
    return to_string(candidate) == phase;
  });
  if (known == phases.end()) {
    reader.complain("phase");
  } else {
    record.phase = *known;
  }
  if (!reader.member("domid").is_null()) {
    record.id = DomId(static_cast<std::uint16_t>(
        reader.number("domid", std::numeric_limits<std::uint16_t>::max())));
  }
  record.created = reader.time<std::chrono::system_clock>("created_ns");
  record.started = reader.time<std::chrono::steady_clock>("started_ns");
  record.paused = reader.boolean("paused");
  record.death_seen = reader.boolean("death_seen");
  // Not in what an earlier version wrote.
  record.has_loan = !reader.member("has_loan").is_null() && reader.boolean("has_loan");
  record.plan.ignore_death = reader.boolean("ignore_death");
  record.console = reader.line("console");
  record.store = reader.line("store");
  record.console_log = reader.text("console_log");
  if (!reader.member("console_log_start").is_null()) {
    record.console_log_start =
        reader.number("console_log_start", std::numeric_limits<std::uint64_t>::max());
  }
  XL_TRY(reader.check());
  XL_TRY_ASSIGN(record.plan.config, config::domain_config_from_json(reader.member("config")));
  if (!record.plan.config.uuid || (record.phase == RecordPhase::running && !record.id)) {
    return fail(ErrorCode::invalid_argument, "the record does not say which domain it is for");
  }
  return record;
}

}  // namespace

std::string_view to_string(RecordPhase phase) {
  switch (phase) {
    case RecordPhase::building: return "building";
    case RecordPhase::running: return "running";
    case RecordPhase::restarting: return "restarting";
    case RecordPhase::dying: return "dying";
  }
  return "?";
}

std::string to_text(const Record& record) {
  json object = {
      {"version", version},
      {"phase", to_string(record.phase)},
      {"created_ns", nanoseconds(record.created)},
      {"started_ns", nanoseconds(record.started)},
      {"paused", record.paused},
      {"death_seen", record.death_seen},
      {"has_loan", record.has_loan},
      {"ignore_death", record.plan.ignore_death},
      {"console", line_json(record.console)},
      {"store", line_json(record.store)},
      {"console_log", record.console_log},
      {"console_log_start", record.console_log_start},
      {"config", config::to_json(record.plan.config)},
  };
  if (record.id) {
    object["domid"] = record.id->value();
  }
  return object.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

Result<Record> parse_record(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  if (object.is_discarded()) {
    return fail(ErrorCode::invalid_argument, "it is not JSON");
  }
  auto record = record_of(object);
  if (!record) {
    return fail(ErrorCode::invalid_argument, record.error().message);
  }
  return record;
}

}  // namespace xl::toolstack
