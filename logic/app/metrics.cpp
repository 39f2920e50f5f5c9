#include "logic/app/metrics.h"

#include <string>
#include <utility>

#include "common/base/result.h"

namespace hongyan::logic {

void add_metrics(daemon::Context& context, const LogicConfig& config, const SlotThreads& threads,
                 std::span<const std::unique_ptr<Shard>> shards, const std::unique_ptr<ServerApi>& api) {
  const auto export_sum = [&](const std::string& name, const std::string& help,
                              auto PipelineCounters::* member) {
    metrics::Counter& counter = context.metrics.counter("hongyan_logic_" + name + "_total", help);
    context.metrics.before_collect([&threads, &counter, member] {
      double sum = 0;
      for (const auto& thread : threads) sum += static_cast<double>((thread->counters().*member).get());
      if (sum > counter.Value()) counter.Increment(sum - counter.Value());
    });
  };
  using C = PipelineCounters;
  export_sum("accepted", "Messages stored in outboxes.", &C::accepted);
  export_sum("duplicates", "Resends of messages that were stored before.", &C::duplicates);
  export_sum("delivered", "Rows stored in inboxes.", &C::delivered);
  export_sum("group_messages", "Messages that have their place in a group.", &C::placed);
  export_sum("parked", "Rows that can never be stored.", &C::parked);
  export_sum("pushed", "Pushes to devices.", &C::pushed);
  export_sum("resent", "Pushes sent once more for want of an acknowledgement.", &C::resent);
  export_sum("undelivered", "Pushes never acknowledged.", &C::undelivered);
  export_sum("acks", "Acknowledgements of devices.", &C::acked);
  export_sum("bad_acks", "Acknowledgements beyond the head, backwards or unparsable.", &C::bad_acks);
  export_sum("cursors_kept", "Users whose cursors were written.", &C::cursors_kept);
  export_sum("pulls", "Pulls.", &C::pulls);
  export_sum("pulled_messages", "Messages given to pulls.", &C::pulled_messages);
  export_sum("logins", "Logins.", &C::logins);
  export_sum("uploads", "Uploads published.", &C::uploads);
  export_sum("kicks", "Sessions kicked by a later login.", &C::kicks);
  export_sum("lane_retries", "Batches of fan-out to be tried again.", &C::lane_retries);
  export_sum("not_owner", "Requests for slots that this node does not own.", &C::not_owner);
  export_sum("node_rows", "Rows of lanes sent to other logic nodes.", &C::node_rows);
  export_sum("node_losses", "Batches to other logic nodes whose outcome was not heard.", &C::node_losses);
  export_sum("bad_node_packets", "Packets of other logic nodes that make no sense.", &C::bad_node_packets);
  const auto export_gauge = [&](const std::string& name, const std::string& help,
                                auto PipelineCounters::* member) {
    metrics::Gauge& gauge = context.metrics.gauge("hongyan_logic_" + name, help);
    context.metrics.before_collect([&threads, &gauge, member] {
      double sum = 0;
      for (const auto& thread : threads) sum += static_cast<double>((thread->counters().*member).load());
      gauge.Set(sum);
    });
  };
  export_gauge("unfinished_bytes", "Accepted messages not yet fanned out.", &C::unfinished_bytes);
  export_gauge("sessions", "Sessions of this node's users.", &C::sessions);
  export_gauge("users", "Users in memory.", &C::users);
  export_gauge("changed_cursors", "Users whose cursors are to be written.", &C::changed_cursors);
  export_gauge("groups", "Groups in memory.", &C::groups);
  export_gauge("lanes", "Lanes with something to do.", &C::lanes);
  for (std::size_t code = 1; code <= static_cast<std::size_t>(Code::kDeadlineExceeded); ++code) {
    metrics::Counter& counter =
        context.metrics.counter("hongyan_logic_refused_total", "Requests refused, by code.",
                                {{"code", std::string(code_name(static_cast<Code>(code)))}});
    context.metrics.before_collect([&threads, &counter, code] {
      double sum = 0;
      for (const auto& thread : threads) sum += static_cast<double>(thread->counters().refused[code].get());
      if (sum > counter.Value()) counter.Increment(sum - counter.Value());
    });
  }
  for (std::size_t which = 0; which < kLimitedNames.size(); ++which) {
    metrics::Counter& counter =
        context.metrics.counter("hongyan_logic_limited_total", "Requests refused for a limit of their user.",
                                {{"limit", std::string(kLimitedNames[which])}});
    context.metrics.before_collect([&threads, &counter, which] {
      double sum = 0;
      for (const auto& thread : threads) sum += static_cast<double>(thread->counters().limited[which].get());
      if (sum > counter.Value()) counter.Increment(sum - counter.Value());
    });
  }
  for (std::size_t code = 0; code < ServerApi::kCodes; ++code) {
    metrics::Counter& counter = context.metrics.counter(
        "hongyan_logic_api_calls_total", "Calls of the server API, by how they were answered.",
        {{"code", std::string(code_name(static_cast<Code>(code)))}});
    context.metrics.before_collect([&api, &counter, code] {
      const auto sum = api ? static_cast<double>(api->answered(static_cast<Code>(code))) : 0.0;
      if (sum > counter.Value()) counter.Increment(sum - counter.Value());
    });
  }
  for (std::size_t i = 0; i < shards.size(); ++i) {
    metrics::Gauge& down = context.metrics.gauge("hongyan_logic_shard_down", "1 while the shard is away.",
                                                 {{"shard", config.mysql.shards[i].name}});
    context.metrics.before_collect([&down, shard = shards[i].get()] { down.Set(shard->down() ? 1 : 0); });
    context.health.add("mysql_shard_" + config.mysql.shards[i].name, [shard = shards[i].get()] {
      std::string trouble = shard->trouble();
      if (trouble.empty()) return metrics::HealthCheck{};
      return metrics::HealthCheck{metrics::HealthState::kDegraded, std::move(trouble)};
    });
  }
  context.health.add("redis", [&threads] {
    for (const auto& thread : threads) {
      std::string trouble = thread->redis().trouble();
      if (!trouble.empty()) return metrics::HealthCheck{metrics::HealthState::kDegraded, std::move(trouble)};
    }
    return metrics::HealthCheck{};
  });
  metrics::Counter& errors = context.metrics.counter("hongyan_logic_redis_errors_total",
                                                     "Commands that Redis answered with an error.");
  context.metrics.before_collect([&threads, &errors] {
    double sum = 0;
    for (const auto& thread : threads) sum += static_cast<double>(thread->redis().errors());
    if (sum > errors.Value()) errors.Increment(sum - errors.Value());
  });
}

}  // namespace hongyan::logic
