// Lets this browser show the clinic's notifications. The page says everything that is read and sends the
// form itself; without script there is no button, and nothing else is missing.
const form = document.getElementById("push-here");
const canBeTold = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

function say(key) {
  form.querySelector("[role=status]").textContent = form.dataset[key];
}

async function subscribed(worker) {
  const options = { userVisibleOnly: true, applicationServerKey: form.dataset.key };
  try {
    return await worker.pushManager.subscribe(options);
  } catch (error) {
    // Subscribed with another key before.
    const former = await worker.pushManager.getSubscription();
    if (!former || !(await former.unsubscribe())) {
      throw error;
    }
    return worker.pushManager.subscribe(options);
  }
}

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") {
    return say("denied");
  }
  await navigator.serviceWorker.register("sw.js");
  const worker = await navigator.serviceWorker.ready;
  form.elements.subscription.value = JSON.stringify((await subscribed(worker)).toJSON());
  form.submit();
}

if (form && canBeTold) {
  form.hidden = false;
  form.querySelector("button").addEventListener("click", () => {
    say("working");
    subscribe().catch(() => say("failed"));
  });
} else if (form) {
  document.getElementById("push-not-here").hidden = false;
}
