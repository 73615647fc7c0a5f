// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {

using nlohmann::json;

namespace {

json details_json(const std::vector<EventDetailView>& details) {
  json object = json::object();
  for (const EventDetailView& detail : details) {
    std::visit([&](const auto& value) { object[detail.key] = value; }, detail.value);
  }
  return object;
}

// What a newer xld says in another form is left out.
std::vector<EventDetailView> read_details(const json& object) {
  std::vector<EventDetailView> details;
  for (const auto& [key, value] : object.items()) {
    if (value.is_boolean()) {
      details.push_back({key, value.get<bool>()});
    } else if (value.is_number_unsigned()) {
      details.push_back({key, value.get<std::uint64_t>()});
    } else if (value.is_string()) {
      details.push_back({key, value.get<std::string>()});
    }
  }
  return details;
}

EndView read_end(JsonReader& reader) {
  EndView end;
  reader.maybe("reason", end.reason);
  reader.maybe("last_console_line", end.last_console_line);
  reader.maybe("report", end.report);
  reader.maybe("action", end.action);
  reader.maybe("successor", end.successor);
  reader.maybe("cause", end.cause);
  return end;
}

}  // namespace

json to_json(const EventView& view) {
  json object{{"seq", view.sequence},
              {"time_ms", view.time_ms},
              {"event", view.event},
              {"domid", view.domid},
              {"name", view.name}};
  if (!view.details.empty()) {
    object["details"] = details_json(view.details);
  }
  if (view.end) {
    object["end"] = {{"reason", optional_json(view.end->reason)},
                     {"last_console_line", view.end->last_console_line},
                     {"report", view.end->report},
                     {"action", view.end->action},
                     {"successor", optional_json(view.end->successor)},
                     {"cause", view.end->cause}};
  }
  return object;
}

template <>
Result<EventView> from_json(const json& value) {
  JsonReader reader(value, "event");
  EventView view;
  reader.need("seq", view.sequence);
  reader.need("time_ms", view.time_ms);
  reader.need("event", view.event);
  reader.need("domid", view.domid);
  reader.need("name", view.name);
  XL_TRY(reader.check());
  if (const auto details = value.find("details"); details != value.end() && details->is_object()) {
    view.details = read_details(*details);
  }
  if (const auto end = value.find("end"); end != value.end()) {
    JsonReader inner(*end, "end");
    view.end = read_end(inner);
    XL_TRY(inner.check());
  }
  return view;
}

}  // namespace xl::api
