/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ml_lib

#if !defined(_TRACE_ML_LIB_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_ML_LIB_H

#include <linux/tracepoint.h>
#include <uapi/linux/ml_lib.h>

#define show_ml_mode(mode)					\
	__print_symbolic(mode,					\
		{ ML_MODE_EMERGENCY, "emergency" },		\
		{ ML_MODE_LEARNING, "learning" },		\
		{ ML_MODE_COLLABORATION, "collaboration" },	\
		{ ML_MODE_RECOMMENDATION, "recommendation" })

#define show_ml_arm(arm)					\
	__print_symbolic(arm,					\
		{ ML_ARM_CONTROL, "control" },			\
		{ ML_ARM_TREATMENT, "treatment" })

#define show_ml_reason(reason)					\
	__print_symbolic(reason,				\
		{ ML_REASON_START, "start" },			\
		{ ML_REASON_READY, "ready" },			\
		{ ML_REASON_BENEFIT, "benefit" },		\
		{ ML_REASON_HARM, "harm" },			\
		{ ML_REASON_LAPSED, "lapsed" },			\
		{ ML_REASON_NEW_MODEL, "new-model" },		\
		{ ML_REASON_NO_MODEL, "no-model" },		\
		{ ML_REASON_STALE, "stale" },			\
		{ ML_REASON_INVALID, "invalid" },		\
		{ ML_REASON_ALARM, "alarm" },			\
		{ ML_REASON_ATTRITION, "attrition" },		\
		{ ML_REASON_USER, "user" },			\
		{ ML_REASON_STOP, "stop" })

TRACE_EVENT(ml_decide,
	TP_PROTO(const char *proxy, u64 id, unsigned int arm,
		 unsigned int action, bool answered),
	TP_ARGS(proxy, id, arm, action, answered),
	TP_STRUCT__entry(
		__string(proxy, proxy)
		__field(u64, id)
		__field(u8, arm)
		__field(u16, action)
		__field(bool, answered)
	),
	TP_fast_assign(
		__assign_str(proxy);
		__entry->id = id;
		__entry->arm = arm;
		__entry->action = action;
		__entry->answered = answered;
	),
	TP_printk("%s id=%llu arm=%s action=%u answered=%d",
		  __get_str(proxy), __entry->id, show_ml_arm(__entry->arm),
		  __entry->action, __entry->answered)
);

TRACE_EVENT(ml_observe,
	TP_PROTO(const char *proxy, u64 id, unsigned int arm, s32 reward,
		 u32 units),
	TP_ARGS(proxy, id, arm, reward, units),
	TP_STRUCT__entry(
		__string(proxy, proxy)
		__field(u64, id)
		__field(u8, arm)
		__field(s32, reward)
		__field(u32, units)
	),
	TP_fast_assign(
		__assign_str(proxy);
		__entry->id = id;
		__entry->arm = arm;
		__entry->reward = reward;
		__entry->units = units;
	),
	TP_printk("%s id=%llu arm=%s reward=%d units=%u", __get_str(proxy),
		  __entry->id, show_ml_arm(__entry->arm), __entry->reward,
		  __entry->units)
);

TRACE_EVENT(ml_mode,
	TP_PROTO(const char *proxy, unsigned int from, unsigned int to,
		 unsigned int reason),
	TP_ARGS(proxy, from, to, reason),
	TP_STRUCT__entry(
		__string(proxy, proxy)
		__field(u8, from)
		__field(u8, to)
		__field(u8, reason)
	),
	TP_fast_assign(
		__assign_str(proxy);
		__entry->from = from;
		__entry->to = to;
		__entry->reason = reason;
	),
	TP_printk("%s %s -> %s (%s)", __get_str(proxy),
		  show_ml_mode(__entry->from), show_ml_mode(__entry->to),
		  show_ml_reason(__entry->reason))
);

TRACE_EVENT(ml_watchdog,
	TP_PROTO(const char *proxy, u64 silent_ns),
	TP_ARGS(proxy, silent_ns),
	TP_STRUCT__entry(
		__string(proxy, proxy)
		__field(u64, silent_ns)
	),
	TP_fast_assign(
		__assign_str(proxy);
		__entry->silent_ns = silent_ns;
	),
	TP_printk("%s agent silent for %llu ns", __get_str(proxy),
		  __entry->silent_ns)
);

TRACE_EVENT(ml_load,
	TP_PROTO(const char *proxy, u32 model, u32 size, u32 fault),
	TP_ARGS(proxy, model, size, fault),
	TP_STRUCT__entry(
		__string(proxy, proxy)
		__field(u32, model)
		__field(u32, size)
		__field(u32, fault)
	),
	TP_fast_assign(
		__assign_str(proxy);
		__entry->model = model;
		__entry->size = size;
		__entry->fault = fault;
	),
	TP_printk("%s model=%u size=%u fault=%u", __get_str(proxy),
		  __entry->model, __entry->size, __entry->fault)
);

#endif /* _TRACE_ML_LIB_H */

#include <trace/define_trace.h>
