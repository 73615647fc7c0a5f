// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/wire_json.hpp"

#include <nlohmann/json.hpp>

#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_config.hpp"

namespace xl::api {

using nlohmann::json;

json to_json(const CreateRequest& request) {
  return {{"config", config_file_json({request.config_name, request.config_text})},
          {"overrides", request.overrides},
          {"working_directory", request.working_directory},
          {"paused", request.paused},
          {"ignore_death", request.ignore_death},
          {"hold", request.hold},
          {"strict", request.strict},
          {"ignore_host_masks", request.ignore_host_masks}};
}

template <>
Result<CreateRequest> from_json(const json& value) {
  JsonReader reader(value, "create request");
  reader.only({"config", "overrides", "working_directory", "paused", "ignore_death", "hold",
               "strict", "ignore_host_masks"});
  CreateRequest request;
  json config;
  reader.need("config", config);
  reader.maybe("overrides", request.overrides);
  reader.maybe("working_directory", request.working_directory);
  reader.maybe("paused", request.paused);
  reader.maybe("ignore_death", request.ignore_death);
  reader.maybe("hold", request.hold);
  reader.maybe("strict", request.strict);
  reader.maybe("ignore_host_masks", request.ignore_host_masks);
  XL_TRY(reader.check());

  XL_TRY_ASSIGN(ConfigFile file, config_file_of(config));
  request.config_name = std::move(file.name);
  request.config_text = std::move(file.text);
  return request;
}

json to_json(const CreatedView& view) {
  json phases = json::array();
  for (const PhaseView& phase : view.phases) {
    json entry{{"phase", phase.phase}, {"ns", phase.ns}};
    if (!phase.note.empty()) {
      entry["note"] = phase.note;
    }
    phases.push_back(std::move(entry));
  }
  return {{"domid", view.domid},
          {"name", view.name},
          {"phases", std::move(phases)},
          {"warnings", view.warnings},
          {"rendered_warnings", view.rendered_warnings}};
}

template <>
Result<CreatedView> from_json(const json& value) {
  JsonReader reader(value, "created domain");
  CreatedView view;
  json phases = json::array();
  reader.need("domid", view.domid);
  reader.need("name", view.name);
  reader.maybe("phases", phases);
  reader.maybe("warnings", view.warnings);
  reader.maybe("rendered_warnings", view.rendered_warnings);
  XL_TRY(reader.check());
  for (const json& entry : phases) {
    JsonReader inner(entry, "phase");
    PhaseView phase;
    inner.need("phase", phase.phase);
    inner.need("ns", phase.ns);
    inner.maybe("note", phase.note);
    XL_TRY(inner.check());
    view.phases.push_back(std::move(phase));
  }
  return view;
}

json to_json(const CheckedView& view) {
  return {{"name", view.name},
          {"layout", view.layout},
          {"rendered_warnings", view.rendered_warnings},
          {"libxl", view.libxl}};
}

template <>
Result<CheckedView> from_json(const json& value) {
  JsonReader reader(value, "checked config");
  CheckedView view;
  reader.need("name", view.name);
  reader.need("layout", view.layout);
  reader.maybe("rendered_warnings", view.rendered_warnings);
  reader.maybe("libxl", view.libxl);
  return reader.finish(std::move(view));
}

}  // namespace xl::api
