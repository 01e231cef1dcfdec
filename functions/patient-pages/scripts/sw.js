// Shows the clinic's notifications. A touch opens the page of the message; the second button the page on
// which they end. Both are pages beside this file, and nothing else is ever opened.
const beside = (url) => new URL(url.split("/").pop(), self.registration.scope).href;

self.addEventListener("push", (event) => {
  const { title, body, tag, lang, open, stop } = event.data.json();
  const actions = [open, stop].map(({ label }, at) => ({ action: at === 0 ? "open" : "stop", title: label }));
  const data = { open: open.url, stop: stop.url };
  event.waitUntil(self.registration.showNotification(title, { body, tag, lang, actions, data }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { open, stop } = event.notification.data;
  event.waitUntil(self.clients.openWindow(beside(event.action === "stop" ? stop : open)));
});
